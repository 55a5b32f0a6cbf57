"""Where a fix is written in a spec with stages: in a stage's own table, or in the base that stages inherit from.

A value that a stage inherits is overridden in that stage, unless the finding is about every stage that inherits it: then the base is
changed. So a fix changes nothing for a stage with which nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from tttdit.core.errors import Uneditable
from tttdit.core.findings import Change, Edit, Finding, Removal, Renaming, Replacement
from tttdit.core.spec import keys
from tttdit.core.spec.keys import Path
from tttdit.core.spec.sets import Set
from tttdit.core.spec.stages import StageSpec


def placements(finding: Finding, every: Sequence[StageSpec]) -> Iterator[tuple[Change, ...]]:
    """The changes of the finding's fix with keys of the document, and another way to write them if there is one, the better first.

    `every` are all stages of the document. Nothing comes where there is no fix, or where it has no place: the value is set on the command
    line, or a stage would have to lose what it inherits together with others.
    """
    if finding.fix is None:
        return
    named = finding.of_stages
    about = [stage for stage in every if stage.name in named]
    if all(stage.index is None for stage in about):
        yield finding.fix.edits  # no stages: the keys are those of the document already
        return
    others = [stage for stage in every if stage.name not in named]
    found: list[tuple[Change, ...]] = []
    for in_base in (True, False):
        place = _Placing(about, others, in_base=in_base)
        try:
            changes = tuple(placed for change in finding.fix.edits for placed in place.change(change))
        except Uneditable:
            continue
        if changes not in found:
            found.append(changes)
            yield changes


class _Placing:
    """The stages that a finding is about, and all others; whether the base may be changed where these do not notice."""

    def __init__(self, about: Sequence[StageSpec], others: Sequence[StageSpec], *, in_base: bool) -> None:
        self.about = about
        self.others = others
        self.in_base = in_base

    def change(self, change: Change) -> Iterator[Change]:
        """The change where it belongs, or the same in several stages."""
        match change:
            case Edit():
                yield from self._edit(keys.split(change.key), change.value)
            case Removal():
                for path in dict.fromkeys(self._where(stage, keys.split(change.key)) for stage in self.about):
                    yield evolve(change, key=keys.join(path))
            case Renaming():
                paths = [path for stage in self.about for path in self._mentioned(stage, keys.split(change.key))]
                for path in dict.fromkeys(paths):
                    yield evolve(change, key=keys.join(path))
            case Replacement():
                yield change

    def _edit(self, path: Path, value: object) -> Iterator[Change]:
        inheriting: list[StageSpec] = []
        shared: Path | None = None
        for stage in self.about:
            origin = stage.origin(path)
            if isinstance(origin, Set):
                raise Uneditable(f"{keys.join(path)} is set on the command line")
            if origin is not None and _is_own(origin):
                yield Edit(keys.join(origin), value)
            else:
                inheriting.append(stage)
                shared = origin or shared
        if not inheriting:
            return
        if self.in_base and not self._reaches_others(path, shared):
            yield Edit(keys.join(path), value)
            return
        for stage in inheriting:
            whole, now = _whole(stage, path, value)
            yield Edit(keys.join(("stage", stage.index or 0, *whole)), now)

    def _where(self, stage: StageSpec, path: Path) -> Path:
        """Where a key stands that can be changed for this stage without touching others."""
        origin = stage.origin(path)
        if origin is None or isinstance(origin, Set):
            raise Uneditable(f"{keys.join(path)} does not stand in the file")
        if not _is_own(origin) and self._reaches_others(path, origin):
            raise Uneditable(f"other stages inherit {keys.join(path)}")
        return origin

    def _mentioned(self, stage: StageSpec, path: Path) -> Iterator[Path]:
        """Where a key stands, and where the stage adds to a table that it inherits."""
        yield self._where(stage, path)
        own: Path = ("stage", stage.index or 0, *path)
        if own in stage.document.places:
            yield own

    def _reaches_others(self, path: Path, origin: Path | None) -> bool:
        """Whether a stage that the finding is not about has this value from the same place, or from none as well."""
        return any(stage.origin(path) == origin for stage in self.others)


def _is_own(origin: Path) -> bool:
    return origin[:1] == ("stage",)


def _whole(stage: StageSpec, path: Path, value: object) -> tuple[Path, Any]:
    """What a stage writes to override an item of an array that it inherits: the whole array."""
    length = next((at for at, part in enumerate(path) if isinstance(part, int)), len(path))
    if length == len(path):
        return path, value
    inherited: Any = stage.values
    for part in path[:length]:
        inherited = inherited[part]
    return path[:length], _with(inherited, path[length:], value)


def _with(around: Any, rest: Path, value: object) -> Any:
    """A copy of an array, or of a table in one, with another value at this place."""
    if not rest:
        return value
    changed = around.copy()
    changed[rest[0]] = _with(around[rest[0]], rest[1:], value)
    return changed
