"""All values of a symbol that keep its laws: a few, or everything in some classes between two bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count, dropwhile, islice, takewhile
from typing import NamedTuple

from attrs import evolve, field, frozen

from tttdit.core.laws import Law, apart, nearest
from tttdit.core.solving.progressions import plain
from tttdit.core.symbolic.formula import Number

# So many values of one period, or between two bounds, are tried to know all that work; and so many in a row where that cannot be known.
MOST_TRIED = 10_000
MOST_IN_A_ROW = 2_000

# So far from a small value another one is near it all the same.
_NEAR = 64


class Domain(NamedTuple):
    """What a key may be at all: whole numbers, or all that a decimal fraction can write, from `lowest` to `last`."""

    lowest: Number
    last: Number
    whole: bool = True


@frozen(kw_only=True)
class Solutions:
    """The values from `lowest` to `last` that lie in one of the classes `residue (mod step)`; or those `listed`.

    With `tested`, where a law has no structure, those of them that pass; when many in a row do not, no more is looked at. `laws` are the
    ones that the symbol enters, without those that follow from the others.
    """

    lowest: Number
    last: Number
    residues: tuple[Number, ...] = (0,)  # in order of size
    step: Number = 1
    listed: tuple[Number, ...] | None = None  # in order of size
    tested: Callable[[Number], bool] | None = field(default=None, eq=False)
    laws: tuple[Law, ...] = ()
    why_none: str = ""  # which law no value keeps, in numbers

    def __contains__(self, value: Number) -> bool:
        return value in self.nearest(value, 1)

    def upwards(self, start: Number) -> Iterator[Number]:
        """Those from `start` on, the least first."""
        first = max(start, self.lowest)
        classes = (plain(base * self.step + residue) for base in count(first // self.step) for residue in self.residues)
        values: Iterable[Number] = classes if self.listed is None else self.listed
        return self._passing(
            takewhile(lambda value: value <= self.last, dropwhile(lambda value: value < first, values))
        )

    def downwards(self, start: Number) -> Iterator[Number]:
        """Those up to `start`, the greatest first."""
        first, falling = min(start, self.last), self.residues[::-1]
        classes = (plain(base * self.step + residue) for base in count(first // self.step, -1) for residue in falling)
        values: Iterable[Number] = classes if self.listed is None else self.listed[::-1]
        return self._passing(
            takewhile(lambda value: value >= self.lowest, dropwhile(lambda value: value > first, values))
        )

    def _passing(self, values: Iterator[Number]) -> Iterator[Number]:
        if self.why_none:
            return iter(())
        return values if self.tested is None else filter(self.tested, islice(values, MOST_IN_A_ROW))

    def nearest(self, wanted: Number, count: int = 3) -> list[Number]:
        """Those next to the wanted value, in order of size."""
        return nearest({*islice(self.downwards(wanted), count), *islice(self.upwards(wanted), count)}, wanted, count)

    def nearby(self, wanted: Number, count: int = 2) -> list[Number]:
        """As `nearest`, but none that is a multiple of the wanted value, or a fraction; next to small values a few more count as near."""
        return [
            value
            for value in self.nearest(wanted, count)
            if apart(value, wanted) <= max(wanted, _NEAR) and 2 * value >= wanted
        ]

    @property
    def largest(self) -> Number | None:
        """The largest value that works, None where none does."""
        return next(self.downwards(self.last), None)

    @property
    def smallest(self) -> Number | None:
        """The smallest value that works, None where none does."""
        return next(self.upwards(self.lowest), None)

    def beyond(self, last: Number) -> Solutions:
        """The same with another upper bound."""
        return evolve(self, last=last)
