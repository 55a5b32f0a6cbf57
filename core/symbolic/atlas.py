"""Outlines of many structures of one model, in which everything that is alike is one: sizes, tasks, and runs.

Nearly all that a step does in one structure it does in others too. Of 5,000 runs of 200 structures some 500 are different.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, frozen

from tttdit.core.symbolic.outline import Outline, RunOutline, Size, Sizes
from tttdit.core.symbolic.periods import Rows, Who


@frozen
class Sheet:
    """One structure's outline: who runs, in order, and the number of what each does."""

    rows: Rows
    whos: tuple[Who, ...]
    runs: tuple[int, ...]


@define
class Atlas:
    """Outlines by name. `sizes`, `tasks` and `runs` are theirs together; runs speak of sizes and tasks by number, sheets of runs."""

    sizes: dict[Size, int]
    tasks: dict[Size, int]
    runs: dict[RunOutline, int]
    sheets: dict[str, Sheet]

    @classmethod
    def empty(cls) -> Atlas:
        """Without any."""
        return cls({}, {}, {}, {})

    def __contains__(self, name: str) -> bool:
        return name in self.sheets

    def add(self, name: str, outline: Outline) -> None:
        """Takes an outline up, in the place of another of that name."""
        sizes, tasks = _Numbers(outline.sizes, self.sizes), _Numbers(outline.tasks, self.tasks)
        numbers = []
        for _, run in outline.runs:
            here = RunOutline(
                sizes.here(run.change),
                tuple(map(sizes.here, run.tops)),
                None if run.saved is None else sizes.here(run.saved),
                tasks.here(run.flops),
                tasks.here(run.recomputed),
            )
            numbers.append(self.runs.setdefault(here, len(self.runs)))
        self.sheets[name] = Sheet(outline.rows, tuple(who for who, _ in outline.runs), tuple(numbers))

    def join(self, other: Atlas) -> None:
        """Takes all up that another has and this has not."""
        for name, outline in other._outlines():
            if name not in self:
                self.add(name, outline)

    def _outlines(self) -> Iterator[tuple[str, Outline]]:
        runs, sizes, tasks = tuple(self.runs), tuple(self.sizes), tuple(self.tasks)
        for name, sheet in self.sheets.items():
            whole = tuple((who, runs[number]) for who, number in zip(sheet.whos, sheet.runs, strict=True))
            yield name, Outline(sheet.rows, whole, sizes, tasks)


class _Numbers:
    """Numbers of one table as those of another, which grows by what it has not."""

    def __init__(self, table: Iterable[Size], into: dict[Size, int]) -> None:
        self._table, self._into = tuple(table), into
        self._known: dict[int, int] = {}

    def here(self, some: Sizes) -> Sizes:
        known = self._known
        for number, _ in some:
            if number not in known:
                known[number] = self._into.setdefault(self._table[number], len(self._into))
        return tuple(sorted([(known[number], count) for number, count in some]))
