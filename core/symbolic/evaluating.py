"""What the outlines of an atlas come to, in bytes and floating-point operations, for given sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from attrs import frozen

from tttdit.core.symbolic.atlas import Atlas
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.symbolic.operands import Operands, Values
from tttdit.core.symbolic.outline import RunOutline, Size, Sizes
from tttdit.core.symbolic.periods import Rows, in_order


class NotWhole(ValueError):
    """A size is no whole number: it was recorded where something came out even that does not for these values."""


@frozen
class Figures:
    """What a step comes to; `peak_in_blocks` is the peak of the same tensors where each takes as many bytes as an allocator gives it."""

    saved_bytes: int
    peak_bytes: int
    peak_in_blocks: int
    flops: int
    recompute_flops: int


@frozen
class RunFigures:
    """What a run comes to: `change` is what it leaves behind, `top` the most that lives in it beside what lived before it, `saved` what is
    saved until the loss, in the run in which that is computed.
    """

    change: int
    top: int
    saved: int | None
    change_in_blocks: int
    top_in_blocks: int
    flops: int
    recompute_flops: int


class Evaluation:
    """An atlas with values for its symbols, but for those that are asked for with `others`. `block` is what a tensor's bytes take.

    What these values say is found out once; what is left for the others is little. Raises NotWhole for values of which the atlas does not
    hold.
    """

    def __init__(self, atlas: Atlas, values: Values, block: Callable[[int], int]) -> None:
        self._atlas = atlas
        self._runs = tuple(atlas.runs)
        self._bytes = _Table(atlas.sizes, values, _workspace, int)
        self._blocks = _Table(atlas.sizes, values, _workspace, block)
        self._work = _Table(atlas.tasks, values, _flops, int)
        self._orders: dict[tuple[str, Rows], tuple[tuple[int, int], ...]] = {}
        self._reduced: dict[int, _Reduced] = {}
        self._figures: dict[tuple[int, ...], dict[int, RunFigures]] = {}
        self._latest: tuple[Mapping[str, int] | None, dict[int, RunFigures]] = None, {}

    def figures(self, name: str, rows: Rows, others: Mapping[str, int]) -> Figures:
        """Of the structure of this name, with its layers in these rows."""
        live = peak = blocks = peak_in_blocks = saved = flops = recomputed = 0
        known = self._known(others)
        for number, times in self._order(name, rows):
            run = known.get(number) or self.run(number, others)
            change, change_in_blocks = run.change, run.change_in_blocks
            high, high_in_blocks = live + run.top, blocks + run.top_in_blocks
            if times > 1:  # of several in a row the last is the highest, or the first
                high += max(0, (times - 1) * change)
                high_in_blocks += max(0, (times - 1) * change_in_blocks)
            if high > peak:
                peak = high
            if high_in_blocks > peak_in_blocks:
                peak_in_blocks = high_in_blocks
            if run.saved is not None:
                saved = live + (times - 1) * change + run.saved
            live += times * change
            blocks += times * change_in_blocks
            flops += times * run.flops
            recomputed += times * run.recompute_flops
        return Figures(saved, peak, peak_in_blocks, flops, recomputed)

    def run(self, number: int, others: Mapping[str, int]) -> RunFigures:
        """Of the atlas's run of this number."""
        known = self._known(others)
        found = known.get(number)
        if found is None:
            if number not in self._reduced:
                self._reduced[number] = _Reduced(self._runs[number], self._bytes, self._blocks, self._work)
            found = known[number] = self._reduced[number].figures(others)
        return found

    def _known(self, others: Mapping[str, int]) -> dict[int, RunFigures]:
        """The runs that have been evaluated with these values, those asked for last at hand."""
        if others is not self._latest[0]:
            self._latest = others, self._figures.setdefault(tuple(others.values()), {})
        return self._latest[1]

    def _order(self, name: str, rows: Rows) -> tuple[tuple[int, int], ...]:
        """The runs of a step, by number, and how many of each come one after the other."""
        if (name, rows) not in self._orders:
            sheet = self._atlas.sheets[name]
            numbers = (sheet.runs[place] for place, _, _ in in_order(sheet.whos, sheet.rows, rows))
            self._orders[name, rows] = tuple((number, len([*same])) for number, same in groupby(numbers))
        return self._orders[name, rows]


class _Table:
    """The values of sizes, as far as those of the symbols say them."""

    def __init__(
        self,
        sizes: Mapping[Size, int],
        values: Values,
        of_operands: Callable[[Operands, Values], int],
        rounded: Callable[[int], int],
    ) -> None:
        self._values, self._of_operands, self._rounded = values, of_operands, rounded
        self._left: dict[int, Size] = {}
        self._others: dict[tuple[int, ...], dict[int, int]] = {}
        self._known: list[int] = []
        for number, size in enumerate(sizes):
            if isinstance(size, int) or size.symbols() <= values.keys():
                self._known.append(self._value(size, values))
            else:
                self._left[number] = size
                self._known.append(0)

    def part(self, some: Sizes) -> tuple[int, Sizes]:
        """Of a sum what is known, and what is left of it."""
        known, left = self._known, self._left
        return sum([count * known[number] for number, count in some]), tuple([one for one in some if one[0] in left])

    def total(self, known: int, left: Sizes, others: Mapping[str, int]) -> int:
        """The sum, with values for the other symbols."""
        if not left:
            return known
        values = self._with(others)
        return known + sum([count * values[number] for number, count in left])

    def _with(self, others: Mapping[str, int]) -> Mapping[int, int]:
        key = tuple(others.values())
        if key not in self._others:
            every = {**self._values, **others}
            self._others[key] = {number: self._value(size, every) for number, size in self._left.items()}
        return self._others[key]

    def _value(self, size: Size, values: Values) -> int:
        if isinstance(size, Operands):
            return self._rounded(self._of_operands(size, values))
        return self._rounded(size if isinstance(size, int) else _whole(size, values))


def _workspace(operands: Operands, values: Values) -> int:
    return operands.work(values).workspace


def _flops(operands: Operands, values: Values) -> int:
    return operands.work(values).flops


def _whole(formula: Formula, values: Mapping[str, Number]) -> int:
    value = formula.evaluate(values)
    if not isinstance(value, int):
        raise NotWhole(f"{formula} is {value}")
    return value


class _Reduced:
    """A run of which is left what the other symbols decide."""

    def __init__(self, run: RunOutline, sizes: _Table, blocks: _Table, work: _Table) -> None:
        self._sizes, self._blocks, self._work = sizes, blocks, work
        self._change, self._change_in_blocks = sizes.part(run.change), blocks.part(run.change)
        self._tops, self._tops_in_blocks = _highest(run.tops, sizes), _highest(run.tops, blocks)
        self._saved = None if run.saved is None else sizes.part(run.saved)
        self._flops, self._recomputed = work.part(run.flops), work.part(run.recomputed)

    def figures(self, others: Mapping[str, int]) -> RunFigures:
        sizes, blocks, work = self._sizes, self._blocks, self._work
        return RunFigures(
            sizes.total(*self._change, others),
            max((sizes.total(known, left, others) for left, known in self._tops.items()), default=0),
            None if self._saved is None else sizes.total(*self._saved, others),
            blocks.total(*self._change_in_blocks, others),
            max((blocks.total(known, left, others) for left, known in self._tops_in_blocks.items()), default=0),
            work.total(*self._flops, others),
            work.total(*self._recomputed, others),
        )


def _highest(tops: Sequence[Sizes], sizes: _Table) -> Mapping[Sizes, int]:
    """Of tops that leave the same to the other symbols the highest: what is left, and what is known."""
    found: dict[Sizes, int] = {}
    known, counts = 0, Counter[int]()
    left: Sizes = ()
    for top in tops:
        more, left_more = sizes.part(top)
        known += more
        if left_more:
            counts.update(dict(left_more))
            left = tuple(sorted((number, count) for number, count in counts.items() if count))
        found[left] = max(known, found.get(left, known))
    return found
