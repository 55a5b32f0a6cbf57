"""What a record of one step says about memory, less its details: sums of sizes, for any number of layers and any sizes.

A sweep over thousands of settings asks the same of each: how much lives when the loss is there, how much at the peak. For that a run of
moments (`tttdit.core.symbolic.periods.Run`) comes down to how many allocations of which size it leaves behind, and to the few moments
in it at which most lives; and sizes to formulas that are evaluated once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from math import lcm
from typing import TypeAlias

from attrs import frozen

from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.symbolic.operands import Operands
from tttdit.core.symbolic.packing import Packing
from tttdit.core.symbolic.periods import HEAD, Rows, Who, cut, repeated
from tttdit.core.symbolic.tape import Tape, Task

# Bytes or work: a number, a formula, or what a custom operator's body does.
Size: TypeAlias = int | Formula | Operands
# How many of each size, by its number; a workspace counts as one of its own size.
Sizes: TypeAlias = tuple[tuple[int, int], ...]


@frozen
class RunOutline:
    """A run: what it changes, and what lives at its highest moments, beside what lived before it.

    `tops` are these moments in order, each with what lives more, or less, than at the one before: most lives on. `saved` is what lives when
    the loss has been computed, in the run in which that happens. `flops` and `recomputed` are numbers of tasks, with how often each is
    done.
    """

    change: Sizes
    tops: tuple[Sizes, ...]
    saved: Sizes | None
    flops: Sizes
    recomputed: Sizes

    def does(self, other: RunOutline) -> bool:
        """Whether another layer's run comes to the same."""
        return self._sums() == other._sums()

    def _sums(self) -> tuple[object, ...]:
        return self.change, self.tops, self.flops, self.recomputed


@frozen
class Outline:
    """The outline of a step: runs, and the sizes and tasks that they speak of by number."""

    rows: Rows
    runs: tuple[tuple[Who, RunOutline], ...]
    sizes: tuple[Size, ...]
    tasks: tuple[Size, ...]

    @property
    def holds_for_any_size(self) -> bool:
        """Whether other sizes follow: not where a custom operator is given a tensor whose elements lie apart."""
        return all(size.hold_for_any_size for size in self.sizes if isinstance(size, Operands))

    def is_steady(self) -> bool:
        """Whether those in the middle of each row, one of which stands for all that are left out, do the same."""
        by_who = dict(self.runs)
        for who, run in by_who.items():
            phase, group, visit, layer = who
            beside: list[Who] = []
            if phase != HEAD and self.rows.groups >= FEWEST_GROUPS and group == repeated(self.rows.groups):
                beside.append((phase, group + 1, visit, layer))
            length = self.rows.length(group)
            if phase != HEAD and length >= FEWEST_LAYERS and layer == repeated(length):
                beside.append((phase, group, visit, layer + 1))
            if any(other not in by_who or not run.does(by_who[other]) for other in beside):
                return False
        return True


# The shortest rows with two in the middle that have to do the same. Of shorter ones no other length follows, or it has been seen to.
FEWEST_GROUPS, FEWEST_LAYERS = 4, 5


def outline(tape: Tape, rows: Rows) -> Outline:
    """The outline of a record of a step with so many layers."""
    book = _Book(tape)
    runs = tuple((who, book.run(start, end)) for start, end, who in cut(tape, rows))
    return Outline(rows, runs, *book.sizes_and_tasks())


class _Book:
    """Numbers sizes and tasks, and keeps the books of what lives: how many of each size, and above that their sums of terms."""

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
        self._counts = Packing(len(self._sizes), 18)  # bits: a run makes no more tensors
        self._terms, in_terms = _terms(self._sizes)
        self._zero = self._counts.zero | self._terms.zero << self._counts.width
        self._one = [self._counts.unit(number) + (terms << self._counts.width) for number, terms in enumerate(in_terms)]
        # before each moment, and at the end: what comes and goes, and whether something goes
        self._change = [0] * (len(tape.moments) + 1)
        self._lets_go = [False] * (len(tape.moments) + 1)
        self._gone_by_loss = (
            0  # nothing comes between the loss and the first moment of backward but what that moment makes
        )
        for one, number in zip(tape.allocations, numbers, strict=True):
            size = self._one[number]
            self._change[one.made] += size
            if one.gone is not None:
                self._change[one.gone] -= size
                self._lets_go[one.gone] = True
                if one.gone == tape.forward:
                    self._gone_by_loss += size

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

    def run(self, start: int, end: int) -> RunOutline:
        """The outline of a run from one moment until another."""
        tape, change, lets_go = self._tape, self._change, self._lets_go
        live, saved = self._zero, None
        highs: dict[int, int] = {}  # what lives, and the first moment at which that does
        flops: Counter[int] = Counter()
        recomputed: Counter[int] = Counter()
        for at in range(start, end):
            if at == tape.forward:
                saved = live - self._gone_by_loss
            live += change[at]
            workspace = 0
            for task in tape.tasks.get(at, ()):
                number = self._task(task)
                flops[number] += task.times
                if tape.moments[at].recomputing:
                    recomputed[number] += task.times
                if isinstance(task.of, Operands):
                    workspace += self._one[self._sizes[task.of]]
            if workspace or lets_go[at + 1] or at + 1 == end:
                highs.setdefault(live + workspace, at)
        if end == len(tape.moments) == tape.forward:  # nothing is trained
            saved = live - self._gone_by_loss
        return RunOutline(
            self._unpacked(live),
            self._tops(highs),
            None if saved is None else self._unpacked(saved),
            _sorted(flops),
            _sorted(recomputed),
        )

    def _tops(self, highs: Mapping[int, int]) -> tuple[Sizes, ...]:
        """Of highs, with their moments, those that no other is at least as high as, whatever symbols stand for; of the same sum of terms
        one.
        """
        of_terms: dict[int, int] = {}
        for live in sorted(highs, key=lambda live: (self._tape.high[highs[live]], live), reverse=True):
            of_terms.setdefault(live >> self._counts.width, live)
        tops = [of_terms[terms] for terms in self._terms.highest(of_terms)]
        tops.sort(key=lambda live: highs[live])
        return tuple(
            self._unpacked(live - before + self._zero) for before, live in zip([self._zero, *tops], tops, strict=False)
        )

    def _unpacked(self, live: int) -> Sizes:
        return self._counts.unpacked(live & self._counts.all)

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
