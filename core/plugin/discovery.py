"""Finding what is installed: entry points of the group `tttdit`, their modules, and what these announce."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pluggy
from attrs import frozen

from tttdit.core.errors import PluginError
from tttdit.core.plugin import hookspecs
from tttdit.core.plugin.hooks import HOOK_VERSION, PROJECT
from tttdit.core.plugin.kinds import KINDS, Announcement, Model
from tttdit.core.plugin.local import load_local
from tttdit.core.plugin.owner import Owner, PluginProblem
from tttdit.core.plugin.references import is_package, is_reference, one_line

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_KIND_OF = {type_: kind for kind, type_ in KINDS.items()}


@frozen
class Offer:
    """One announcement and who made it."""

    kind: str  # a key of KINDS
    announcement: Announcement
    owner: Owner


@frozen
class Discovered:
    """All that is there: what works, and what is wrong with the rest."""

    offers: tuple[Offer, ...]
    problems: tuple[PluginProblem, ...]


def discover(allow: Iterable[Path] = (), installed: Iterable[EntryPoint] | None = None) -> Discovered:
    """What the installed plugins (default: those of this environment) and the allowed local ones announce.

    A broken installed plugin is a problem that is told; a broken local one, which somebody asked for by name, raises PluginError.
    """
    found = _Discovery()
    for entry in sorted(
        entry_points(group=PROJECT) if installed is None else installed, key=lambda e: (e.name, e.value)
    ):
        owner = _owner_of(entry)
        try:
            found.add(_imported(entry, owner), entry.value, owner)
        except PluginError as error:
            found.problems.append(PluginProblem(owner, str(error)))
    for path in allow:
        found.add(load_local(path), str(path), Owner(str(path)))
    return Discovered(tuple(found.offers), tuple(found.problems))


class _Discovery:
    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self.offers: list[Offer] = []
        self.problems: list[PluginProblem] = []

    def add(self, module: ModuleType, place: str, owner: Owner) -> None:
        """Registers a plugin's module and takes what it announces, all of it or, with a PluginError, nothing."""
        if self.manager.is_registered(module):  # allowed on the command line and installed as well
            return
        _check_version(module, owner)
        try:
            self.manager.register(module, name=f"{owner}: {place}")
            self.offers += list(self._announced(module, owner))
        except PluginError:
            self._forget(module)
            raise
        except Exception as error:
            self._forget(module)
            reason = error.args[-1] if isinstance(error, pluggy.PluginValidationError) and error.args else None
            told = " ".join(str(reason).split()) if reason else one_line(error)
            raise PluginError(f"{owner} cannot be used: {told}") from error

    def _forget(self, module: ModuleType) -> None:
        if self.manager.is_registered(module):
            self.manager.unregister(module)

    def _announced(self, module: ModuleType, owner: Owner) -> Iterator[Offer]:
        callers = self.manager.get_hookcallers(module) or []
        if not callers:
            raise PluginError(f"{owner} announces nothing: {module.__name__} has no function marked with hookimpl")
        others = [plugin for plugin in self.manager.get_plugins() if plugin is not module]
        for caller in callers:
            if not caller.has_spec():
                raise PluginError(_unknown_hook(caller.name, owner))
            for answer in self.manager.subset_hook_caller(caller.name, others)():
                yield from _offers(caller.name, answer, owner)


def _owner_of(entry: EntryPoint) -> Owner:
    distribution = entry.dist
    return Owner(distribution.name, distribution.version) if distribution else Owner(entry.value, "of unknown origin")


def _imported(entry: EntryPoint, owner: Owner) -> ModuleType:
    try:
        module = entry.load()
    except Exception as error:
        torch = " (announcing must work without torch)" if getattr(error, "name", None) == "torch" else ""
        raise PluginError(f"{owner} cannot be imported: {one_line(error)}{torch}") from error
    if not isinstance(module, ModuleType):
        raise PluginError(f'{owner} cannot be used: the entry point "{entry.name}" names no module, but {entry.value}')
    return module


def _check_version(module: ModuleType, owner: Owner) -> None:
    version = getattr(module, "tttdit_hook_version", HOOK_VERSION)
    if version != HOOK_VERSION:
        newer = isinstance(version, int) and version > HOOK_VERSION
        raise PluginError(
            f"{owner} is written for version {version} of tttdit's hooks, and this tttdit has version {HOOK_VERSION}: "
            + ("a newer tttdit is needed" if newer else f"a newer version of {owner.name} is needed")
        )


def _unknown_hook(name: str, owner: Owner) -> str:
    near = difflib.get_close_matches(name, hookspecs.HOOKS, 1)
    guess = f'; did you mean "{near[0]}"?' if near else ""
    return f'{owner} implements the hook "{name}", which does not exist{guess} There are {", ".join(hookspecs.HOOKS)}'


def _offers(hook: str, answer: object, owner: Owner) -> Iterator[Offer]:
    expected = hookspecs.HOOKS[hook]
    if not isinstance(answer, (list, tuple)):
        raise PluginError(f'{owner}: the hook "{hook}" must return a list, and returned {type(answer).__name__}')
    for announcement in answer:
        if not isinstance(announcement, expected):
            raise PluginError(
                f'{owner}: the hook "{hook}" must return {expected.__name__} objects, '
                f"and returned {type(announcement).__name__}"
            )
        _check_announcement(announcement, owner)
        yield Offer(_KIND_OF[expected], announcement, owner)


def _check_announcement(announcement: Announcement, owner: Owner) -> None:
    who = f'{owner}: "{announcement.name}"'
    if not isinstance(announcement.name, str) or not _NAME.fullmatch(announcement.name):
        raise PluginError(f"{who} is no name for a plugin: letters, digits, dots and dashes, 100 at most")
    for key in ("table", "module", "parallel"):
        reference = getattr(announcement, key, "")
        if reference is None and (key == "parallel" or (key == "module" and not isinstance(announcement, Model))):
            continue  # no plan; a mixer that is none; a codec or an encoder that only says what its numbers look like
        if reference != "" and not is_reference(reference):
            raise PluginError(f'{who} says {key} = "{reference}", which does not read like "package.module:Name"')
    for package in announcement.rule_packages:
        if not is_package(package):
            raise PluginError(f'{who} says rules = "{package}", which does not read like "package.rules"')
