"""What a record of one step says about memory, less its details: sums of sizes, for any number of layers and any sizes.

A sweep over thousands of settings asks the same of each: how much lives when the loss is there, how much at the peak. For that a run of
moments (`tttdit.core.symbolic.periods.Run`) comes down to how many allocations of which size it leaves behind, and to the few moments
in it at which most lives; and sizes to formulas that are evaluated once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import TypeAlias

from attrs import frozen

from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.symbolic.operands import Operands, Values
from tttdit.core.symbolic.packing import Packing
from tttdit.core.symbolic.periods import HEAD, Rows, Run, Who, in_order, repeated, runs_of
from tttdit.core.symbolic.tape import Tape, Task

# Bytes or work: a number, a formula, or what a custom operator's body does.
Size: TypeAlias = int | Formula | Operands
# How many of each size, by its number; a workspace counts as one of its own size.
Sizes: TypeAlias = Sequence[Sequence[int]]


@frozen
class RunOutline:
    """A run: what it changes, and what lives at its highest moments, beside what lived before it.

    `saved` is what lives when the loss has been computed, in the run in which that happens. `flops` and `recomputed` are numbers of tasks,
    with how often each is done.
    """

    who: Who
    change: Sizes
    tops: Sequence[Sizes]
    saved: Sizes | None
    flops: Sizes
    recomputed: Sizes

    def does(self, other: RunOutline) -> bool:
        """Whether another layer's run comes to the same."""
        return self._sums() == other._sums()

    def _sums(self) -> tuple[object, ...]:
        return self.change, {tuple(map(tuple, top)) for top in self.tops}, self.flops, self.recomputed


@frozen
class Figures:
    """What a step comes to, in bytes and floating-point operations."""

    saved_bytes: int
    peak_bytes: int
    flops: int
    recompute_flops: int


@frozen
class Outline:
    """The outline of a step: runs, and the sizes and tasks that they speak of by number."""

    rows: Rows
    runs: tuple[RunOutline, ...]
    sizes: tuple[Size, ...]
    tasks: tuple[Size, ...]

    def is_steady(self) -> bool:
        """Whether those in the middle of each row, one of which stands for all that are left out, do the same."""
        by_who = {run.who: run for run in self.runs}
        for who, run in by_who.items():
            phase, group, visit, layer = who
            beside: list[Who] = []
            if phase != HEAD and self.rows.groups >= FEWEST_GROUPS and group == repeated(self.rows.groups):
                beside.append((phase, group + 1, visit, layer))
            if phase != HEAD and self.rows.size >= FEWEST_LAYERS and layer == repeated(self.rows.size):
                beside.append((phase, group, visit, layer + 1))
            if any(other not in by_who or not run.does(by_who[other]) for other in beside):
                return False
        return True

    def given(self, values: Values, rounded: Callable[[int], int] = int) -> Outline:
        """The outline with these values for some of its symbols. Each tensor takes as many bytes as `rounded` says of its own.

        Of the highest moments of each run those are left that may still be the highest, whatever the other symbols are.
        """
        book = _Reduced(self, values, rounded)
        return Outline(self.rows, tuple(map(book.run, self.runs)), tuple(book.sizes), tuple(book.tasks))

    def evaluated(self, values: Values, rounded: Callable[[int], int] = int) -> Evaluated:
        """The outline for these values of the symbols. Each tensor takes as many bytes as `rounded` says of its own."""
        sizes = [_bytes(size, values, rounded) for size in self.sizes]
        work = [_flops(task, values) for task in self.tasks]
        numbers = []
        for run in self.runs:
            saved = None if run.saved is None else _total(run.saved, sizes)
            top = max((_total(each, sizes) for each in run.tops), default=0)
            numbers.append(
                (_total(run.change, sizes), top, saved, _total(run.flops, work), _total(run.recomputed, work))
            )
        return Evaluated(self.rows, tuple(run.who for run in self.runs), numbers)


# The shortest rows with two in the middle that have to do the same. Of shorter ones no other length follows, or it has been seen to.
FEWEST_GROUPS, FEWEST_LAYERS = 4, 5


@frozen
class Evaluated:
    """An outline with numbers: of each run its change, its highest moment, what is saved in it, its work and what of it is recomputed."""

    rows: Rows
    runs: tuple[Who, ...]
    numbers: Sequence[tuple[int, int, int | None, int, int]]

    def figures(self, many: Rows) -> Figures:
        """Of a step with so many layers."""
        live = peak = saved = flops = recomputed = 0
        for number in _order(self.runs, self.rows, many):
            change, top, until_loss, work, again = self.numbers[number]
            if live + top > peak:
                peak = live + top
            if until_loss is not None:
                saved = live + until_loss
            live += change
            flops += work
            recomputed += again
        return Figures(saved, peak, flops, recomputed)


@lru_cache(maxsize=256)
def _order(runs: tuple[Who, ...], few: Rows, many: Rows) -> tuple[int, ...]:
    """The runs of a step with so many layers, by number."""
    return tuple(number for number, _, _ in in_order(runs, few, many))


class _Reduced:
    """An outline in which some symbols have values: all sizes that follow from them are one, the first, of which there are many."""

    def __init__(self, outline: Outline, values: Values, rounded: Callable[[int], int]) -> None:
        self.sizes, known_sizes = _known(outline.sizes, values, lambda size: _bytes(size, values, rounded))
        self.tasks, known_tasks = _known(outline.tasks, values, lambda task: _flops(task, values))
        self._of_sizes, self._of_tasks = _Sums(known_sizes, len(self.sizes)), _Sums(known_tasks, len(self.tasks))

    def run(self, run: RunOutline) -> RunOutline:
        sizes, tasks = self._of_sizes, self._of_tasks
        return RunOutline(
            run.who,
            sizes.of(run.change),
            sizes.highest(run.tops),
            None if run.saved is None else sizes.of(run.saved),
            tasks.of(run.flops),
            tasks.of(run.recomputed),
        )


def _known(
    sizes: Iterable[Size], values: Values, value: Callable[[Size], int]
) -> tuple[list[Size], list[tuple[int, int]]]:
    """The sizes that are left, the first of them 1; and of each size its number among those, and how many of that it is."""
    left: list[Size] = [1]
    known = []
    for size in sizes:
        if isinstance(size, int) or size.symbols() <= values.keys():
            known.append((0, value(size)))
        else:
            known.append((len(left), 1))
            left.append(size)
    return left, known


class _Sums:
    """Sums of sizes in other sizes."""

    def __init__(self, known: Iterable[tuple[int, int]], length: int) -> None:
        self._packing = Packing(length, 80)  # bits; torch counts bytes in 63, and a run's work is less than 2^78
        self._parts = [self._packing.unit(number) * times for number, times in known]

    def _packed(self, some: Sizes) -> int:
        parts = self._parts
        return self._packing.zero + sum([parts[number] * count for number, count in some])

    def of(self, some: Sizes) -> Sizes:
        return self._packing.unpacked(self._packed(some))

    def highest(self, tops: Iterable[Sizes]) -> tuple[Sizes, ...]:
        """Those that may be the highest; the greater ones of what is known come first."""
        packed = sorted(map(self._packed, tops), key=self._packing.first, reverse=True)
        return tuple(map(self._packing.unpacked, self._packing.highest(packed)))


def outline(tape: Tape, rows: Rows) -> Outline:
    """The outline of a record of a step with so many layers."""
    book = _Book(tape)
    runs = runs_of(tape, rows)
    starts, at = [], 0
    for run in runs:
        starts.append(at)
        at += len(run.moments)
    return Outline(
        rows, tuple(book.run(run, start) for run, start in zip(runs, starts, strict=True)), *book.sizes_and_tasks()
    )


class _Book:
    """Numbers sizes and tasks, and keeps the books of what lives."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._sizes: dict[Size, int] = {}
        self._tasks: dict[Size, int] = {}
        self._known_tasks: dict[Hashable, int] = {}  # by the identity of the shapes' dimensions
        numbers = self._numbers()
        for tasks in tape.tasks.values():
            for task in tasks:
                if isinstance(task.of, Operands):
                    self._sizes.setdefault(task.of, len(self._sizes))
        self._packing = Packing(len(self._sizes), 18)  # bits: a run makes no more tensors
        self._terms, self._in_terms = _terms(self._sizes)
        self._change: Counter[int] = Counter()  # what comes and goes at a moment
        self._gone: Counter[int] = Counter()  # what goes, of that
        self._change_in_terms: Counter[int] = Counter()
        for one, number in zip(tape.allocations, numbers, strict=True):
            unit, terms = self._packing.unit(number), self._in_terms[number]
            self._change[one.made] += unit
            self._change_in_terms[one.made] += terms
            if one.gone is not None:
                self._change[one.gone] -= unit
                self._change_in_terms[one.gone] -= terms
                self._gone[one.gone] -= unit

    def _numbers(self) -> list[int]:
        """The number of each allocation's size."""
        known: dict[tuple[tuple[int, ...], str], int] = {}  # by the identity of a shape's dimensions
        numbers = []
        for one in self._tape.allocations:
            key = (tuple(map(id, one.shape)), one.dtype)
            number = known.get(key)
            if number is None:
                number = known[key] = self._sizes.setdefault(one.formula, len(self._sizes))
            numbers.append(number)
        return numbers

    def sizes_and_tasks(self) -> tuple[tuple[Size, ...], tuple[Size, ...]]:
        return tuple(self._sizes), tuple(self._tasks)

    def run(self, run: Run, start: int) -> RunOutline:
        """The outline of a run that begins at a moment."""
        live, in_terms, saved = self._packing.zero, self._terms.zero, None
        highs: list[tuple[int, int, int]] = []
        flops: Counter[int] = Counter()
        recomputed: Counter[int] = Counter()
        end = start + len(run.moments)
        for at, moment in enumerate(run.moments, start):
            if at == self._tape.forward:
                # nothing comes or goes between the loss and the first moment of backward but what that moment makes
                saved = live + self._gone[at]
            live += self._change[at]
            in_terms += self._change_in_terms[at]
            workspace = workspace_in_terms = 0
            for task in self._tape.tasks.get(at, ()):
                number = self._task(task)
                flops[number] += task.times
                if moment.recomputing:
                    recomputed[number] += task.times
                if isinstance(task.of, Operands):
                    number = self._sizes[task.of]
                    workspace += self._packing.unit(number)
                    workspace_in_terms += self._in_terms[number]
            if workspace or at + 1 == end or self._gone[at + 1]:
                highs.append((moment.high, in_terms + workspace_in_terms, live + workspace))
        if end == len(self._tape.moments) == self._tape.forward:  # nothing is trained
            saved = live + self._gone[end]
        highs.sort(reverse=True)
        by_terms = {terms: sizes for _, terms, sizes in reversed(highs)}
        highest = self._terms.highest(terms for _, terms, _ in highs)
        return RunOutline(
            run.who,
            self._packing.unpacked(live),
            tuple(self._packing.unpacked(by_terms[terms]) for terms in highest),
            None if saved is None else self._packing.unpacked(saved),
            _sorted(flops),
            _sorted(recomputed),
        )

    def _task(self, task: Task) -> int:
        if isinstance(task.of, Operands):
            return self._tasks.setdefault(task.of, len(self._tasks))
        key = (task.of, *(tuple(map(id, shape)) for shape in task.shapes))
        number = self._known_tasks.get(key)
        if number is None:
            work = formula_of(task.of(*task.shapes))
            number = self._known_tasks[key] = self._tasks.setdefault(work, len(self._tasks))
        return number


def _terms(sizes: Iterable[Size]) -> tuple[Packing, list[int]]:
    """Each size as a vector of terms: what has no term more than another is no larger, whatever the symbols, which are positive, stand for.

    Terms are products of symbols. A size with a rounded quotient in it, or of a workspace, is a term by itself.
    """
    of_sizes: list[dict[Hashable, Number]] = [
        dict(size.terms)  # type: ignore[arg-type]
        if isinstance(size, Formula) and all(isinstance(atom, str) for term in size.terms for atom, _ in term)
        else {size: 1}
        for size in sizes
    ]
    numbers: dict[Hashable, int] = {}
    for terms in of_sizes:
        for term in terms:
            numbers.setdefault(term, len(numbers))
    whole = lcm(*(Fraction(count).denominator for terms in of_sizes for count in terms.values()))
    packing = Packing(len(numbers), 64)  # bits: bytes an element times elements that symbols do not count
    return packing, [
        sum(int(count * whole) * packing.unit(numbers[term]) for term, count in terms.items()) for terms in of_sizes
    ]


def _sorted(sizes: Mapping[int, int]) -> Sizes:
    return tuple(sorted((number, count) for number, count in sizes.items() if count))


def _total(some: Sizes, of: Sequence[int]) -> int:
    return sum([count * of[number] for number, count in some])


def _bytes(size: Size, values: Values, rounded: Callable[[int], int]) -> int:
    if isinstance(size, Operands):
        return rounded(size.work(values).workspace)
    return size if isinstance(size, int) else rounded(_whole(size, values))


def _flops(task: Size, values: Values) -> int:
    if isinstance(task, Operands):
        return task.work(values).flops
    return task if isinstance(task, int) else _whole(task, values)


def _whole(formula: Formula, values: Values) -> int:
    value = formula.evaluate(values)
    assert isinstance(value, int), f"{formula} is {value}"
    return value
