"""All plugins of this environment, by kind and name, and what stands behind their announcements."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from tttdit.core.errors import PluginError, UnknownPlugin
from tttdit.core.plugin.discovery import Discovered, Offer, discover
from tttdit.core.plugin.kinds import KINDS, Announcement, Importer, Memory, Mixer, Model, Region
from tttdit.core.plugin.owner import Owner, PluginProblem
from tttdit.core.plugin.references import load, load_rules
from tttdit.core.rules import Rule

if TYPE_CHECKING:
    from tttdit.core.plugin.memory import MemoryTable
    from tttdit.core.spec.document import Document
    from tttdit.core.spec.tables import PluginTable

# What a kind is called in a sentence, one and many.
NOUNS: dict[str, tuple[str, str]] = {
    "model": ("model", "models"),
    "mixer": ("mixer", "mixers"),
    "codec": ("codec", "codecs"),
    "text-encoder": ("text encoder", "text encoders"),
    "data": ("data source", "data sources"),
    "memory": ("memory strategy", "memory strategies"),
    "sampler": ("sampler", "samplers"),
    "logger": ("logger", "loggers"),
    "rules": ("set of rules", "sets of rules"),
    "importer": ("importer", "importers"),
}


@frozen
class Listed:
    """A plugin as `tttdit plugins` shows it."""

    kind: str
    name: str
    summary: str
    distribution: str  # or the path of a local file
    version: str | None
    keys: tuple[str, ...]  # of its table in the spec
    presets: tuple[str, ...]
    regions: tuple[str, ...]  # keys of [memory] that it declares
    rules: tuple[str, ...]  # codes
    problem: str | None  # why a part of it cannot be used


class Registry:
    """Plugins by kind and name.

        registry = Registry.of_environment()
        model = registry.find("model", "ttt-dit")
        table = registry.table(model).model_validate({"plugin": "ttt-dit", "preset": "5B"})

    Only the light announcing modules are imported before somebody asks for what stands behind one.
    """

    def __init__(self, discovered: Discovered) -> None:
        self._offers: dict[tuple[str, str], list[Offer]] = {}
        for offer in discovered.offers:
            self._offers.setdefault((offer.kind, offer.announcement.name), []).append(offer)
        self.problems: tuple[PluginProblem, ...] = (
            *discovered.problems,
            *(PluginProblem(offers[-1].owner, _clash(offers)) for offers in self._offers.values() if len(offers) > 1),
        )
        self._broken = discovered.problems
        self._rules: dict[str, tuple[Rule, ...]] = {}  # by package

    @classmethod
    def of_environment(cls, allow: Iterable[Path] = (), installed: Iterable[EntryPoint] | None = None) -> Registry:
        """What is installed, and the local plugins that were allowed. Raises PluginError for an allowed one that cannot be used."""
        return cls(discover(allow, installed))

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of all plugins of a kind."""
        return tuple(sorted(name for known, name in self._offers if known == kind))

    def offers(self, kind: str | None = None) -> tuple[Offer, ...]:
        """All that is offered (of a kind), in the order of kinds and names."""
        order = list(KINDS)
        keys = sorted(self._offers, key=lambda key: (order.index(key[0]), key[1]))
        return tuple(offer for key in keys if kind in (None, key[0]) for offer in self._offers[key])

    def find(self, kind: str, name: str) -> Announcement:
        """The plugin of this kind and name.

        Raises UnknownPlugin with what there is and the nearest name, or PluginError naming both owners if two plugins offer it.
        """
        return self._offer(kind, name).announcement

    def owner(self, announcement: Announcement) -> Owner:
        """Who brought a plugin."""
        for offers in self._offers.values():
            for offer in offers:
                if offer.announcement is announcement:
                    return offer.owner
        raise LookupError(f"{announcement.name} was not announced here")

    def table(self, announcement: Announcement) -> type[PluginTable]:
        """The plugin's table. Raises PluginError if it cannot be imported, or is no PluginTable."""
        from tttdit.core.spec.tables import PluginTable

        assert announcement.table, f"{announcement.name} has no table"
        table = self._behind(announcement, announcement.table)
        if not (isinstance(table, type) and issubclass(table, PluginTable)):
            raise PluginError(f'{self.owner(announcement)}: "{announcement.table}" is no PluginTable')
        return table

    def reader(self, importer: Importer) -> Callable[[Document], object]:
        """What reads files for an importer. Raises PluginError if it cannot be imported, or cannot be called."""
        reader = self._behind(importer, importer.reader)
        if not callable(reader):
            raise PluginError(f'{self.owner(importer)}: "{importer.reader}" cannot be called')
        return reader

    def memory_table(self, memory: Memory, model: Model, mixer: Mixer) -> type[MemoryTable]:
        """The memory strategy's table with one field for each region that the model and the mixer declare."""
        from tttdit.core.plugin.memory import MemoryTable, completed

        table = self.table(memory)
        if not issubclass(table, MemoryTable):
            raise PluginError(f'{self.owner(memory)}: "{memory.table}" is no MemoryTable')
        return completed(table, self.regions(model, mixer))

    def regions(self, model: Model, mixer: Mixer) -> tuple[Region, ...]:
        """The regions that the two declare. Raises PluginError where they declare one key differently."""
        from tttdit.core.plugin.memory import distinct_regions

        return distinct_regions((model.name, model.regions), (mixer.name, mixer.regions))

    def rules(self, announcement: Announcement) -> tuple[Rule, ...]:
        """One of each rule that comes with a plugin, in order of their codes."""
        try:
            for package in announcement.rule_packages:
                if package not in self._rules:
                    self._rules[package] = load_rules(package)
            found = [rule for package in announcement.rule_packages for rule in self._rules[package]]
            return tuple(sorted(found, key=lambda rule: rule.code))
        except PluginError as error:
            raise PluginError(f"{self.owner(announcement)}: {error}") from error

    def rules_of(self, announcements: Iterable[Announcement]) -> tuple[Rule, ...]:
        """The rules of several plugins, each once, in order of their codes. Raises PluginError where two rules have one code."""
        found: dict[str, tuple[Rule, Announcement]] = {}
        for announcement in announcements:
            for rule in self.rules(announcement):
                other, first = found.setdefault(rule.code, (rule, announcement))
                if type(other) is not type(rule):
                    raise PluginError(
                        f'two rules have the code {rule.code}: "{other.name}" of {self.owner(first)} '
                        f'and "{rule.name}" of {self.owner(announcement)}'
                    )
        return tuple(rule for _, (rule, _) in sorted(found.items()))

    def listing(self) -> tuple[Listed, ...]:
        """Everything that is offered, with what each brings. Imports tables and rules, never torch code."""
        return tuple(self._listed(offer) for offer in self.offers())

    def _offer(self, kind: str, name: str) -> Offer:
        offers = self._offers.get((kind, name))
        if not offers:
            raise self._unknown(kind, name)
        if len(offers) > 1:
            raise PluginError(_clash(offers))
        return offers[0]

    def _unknown(self, kind: str, name: str) -> UnknownPlugin:
        one, many = NOUNS[kind]
        names = self.names(kind)
        near = next(iter(difflib.get_close_matches(name, names, 1)), None)
        elsewhere = [NOUNS[other][0] for other, known in self._offers if known == name]
        said = f'there is no {one} "{name}"'
        if elsewhere:
            said += f'; "{name}" is a {elsewhere[0]}'
        if near is not None:
            said += f'; did you mean "{near}"?'
        said += f" (there {_list_of(names, one, many)})"
        # a plugin that does not work may be the one that offers it
        said += "".join(f"; {problem.message}" for problem in self._broken)
        return UnknownPlugin(said, names, near)

    def _behind(self, announcement: Announcement, reference: str) -> object:
        try:
            return load(reference)
        except PluginError as error:
            raise PluginError(f"{self.owner(announcement)}: {error}") from error

    def _listed(self, offer: Offer) -> Listed:
        announcement = offer.announcement
        keys: tuple[str, ...] = ()
        presets: tuple[str, ...] = ()
        rules: tuple[str, ...] = ()
        problem = None
        try:
            if announcement.table:
                table = self.table(announcement)
                presets = tuple(table.presets)
                keys = tuple(key for key in table.model_fields if key not in _EVERY_TABLES_KEYS)
            rules = tuple(rule.code for rule in self.rules(announcement))
        except PluginError as error:
            problem = str(error)
        regions = tuple(region.key for region in getattr(announcement, "regions", ()))
        return Listed(
            kind=offer.kind,
            name=announcement.name,
            summary=announcement.summary,
            distribution=offer.owner.name,
            version=offer.owner.version,
            keys=keys,
            presets=presets,
            regions=regions,
            rules=rules,
            problem=problem,
        )


_EVERY_TABLES_KEYS = frozenset({"plugin", "preset"})


def _clash(offers: list[Offer]) -> str:
    one, name = NOUNS[offers[0].kind][0], offers[0].announcement.name
    owners = list(dict.fromkeys(str(offer.owner) for offer in offers))
    if len(owners) == 1:
        return f'{owners[0]} offers the {one} "{name}" twice'
    return f'{" and ".join(owners)} both offer the {one} "{name}"; uninstall one of them'


def _list_of(names: tuple[str, ...], one: str, many: str) -> str:
    if not names:
        return f"are no {many}"
    return f"is the {one} {names[0]}" if len(names) == 1 else f"are the {many} {', '.join(names)}"
