"""Equations in one unknown over the fractions: what is to be whole, zero, or not above zero; and all their solutions in a domain.

Each is a sum of `coefficient * x**power`, where powers may be negative. What is linear leaves an arithmetic progression or a bound. A
power below zero that has to come out whole leaves divisors, an equality roots; either are few and can be looked at one by one. A polynomial
with a common denominator V comes out whole or not with a period of V, of which one is tried. The rest is tried value by value.

(Named tuples, here and in the files around: every cold check makes these classes, and attrs takes half a millisecond for each.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, lcm
from types import MappingProxyType
from typing import Literal, NamedTuple

from tttdit.core.laws import Law
from tttdit.core.solving.progressions import WHOLE, Progression, divisors, plain
from tttdit.core.solving.solutions import MOST_TRIED, Domain, Solutions
from tttdit.core.solving.terms import Terms, evaluate
from tttdit.core.symbolic.formula import Number


class Equation(NamedTuple):
    """`terms` is whole, or zero, or at most zero, for the law says so."""

    kind: Literal["whole", "zero", "not above zero"]
    terms: Terms
    law: Law

    def holds(self, value: Number) -> bool:
        """Whether it holds for a value above zero."""
        result = evaluate(self.terms, value)
        if self.kind == "whole":
            return result.denominator == 1
        return result == 0 if self.kind == "zero" else result <= 0


class Trial(NamedTuple):
    """What is no such equation, but can be tried; for x = y/d it repeats in y with the period `period(d)`, if it has one."""

    holds: Callable[[Number], bool]
    law: Law
    period: Callable[[int], int | None] = lambda denominator: None


class Nothing(NamedTuple):
    """Why there is no solution: the law that leaves none, and what it would have taken; with the laws before it, `found`."""

    law: Law
    why: Literal["never", "apart", "root", "bound", "none"]
    terms: Terms = MappingProxyType({})
    root: Number = 0
    mine: Progression = WHOLE
    found: Progression = WHOLE
    before: tuple[Law, ...] = ()


def solve(equations: Sequence[Equation], trials: Sequence[Trial], domain: Domain) -> Solutions | Nothing:
    """All solutions in the domain, whose numbers are above zero; or why there are none."""
    search = _Search(domain)
    for take in (search.classes, search.bounds, search.candidates, search.periods):
        nothing = take(equations, trials)
        if nothing is not None:
            return nothing
    return search.solutions()


class _Search:
    """The state of a search, which each step narrows. From `candidates` on the unknown is y = x * denominator, a whole number."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.lowest, self.last = domain.lowest, domain.last
        self.progression: Progression | None = WHOLE if domain.whole else None
        self.narrowing: list[Law] = []
        self.listed: list[Number] | None = None
        self.untried: list[Equation | Trial] = []
        self.residues: list[int] = []
        self.modulus = 1
        self.denominator = 1

    def classes(self, equations: Iterable[Equation], _: object) -> Nothing | None:
        """The progressions of linear equations that come out whole."""
        for equation in equations:
            if equation.kind != "whole" or not equation.terms.keys() <= {0, 1}:
                continue
            slope, constant = equation.terms.get(1, 0), equation.terms.get(0, 0)
            if slope == 0:
                if constant.denominator != 1:
                    return Nothing(equation.law, "never", equation.terms)
                continue
            mine = Progression.of(Fraction(-constant) / slope, Fraction(1) / slope)
            if self.domain.whole and mine.meet(WHOLE) is None:
                return Nothing(equation.law, "never", equation.terms)
            both = mine if self.progression is None else mine.meet(self.progression)
            if both is None:
                assert self.progression is not None
                whole = mine.meet(WHOLE) or mine
                return Nothing(equation.law, "apart", mine=whole, found=self.progression, before=tuple(self.narrowing))
            if both != self.progression:
                self.narrowing.append(equation.law)
            self.progression = both
        if self.progression is None:
            self.progression = WHOLE
        elif not self.domain.whole:
            decimals = self.progression.decimals()
            if decimals is None:
                return Nothing(self.narrowing[-1], "none", before=tuple(self.narrowing[:-1]))
            self.progression = decimals
        self.denominator = self.progression.denominator
        return None

    def bounds(self, equations: Iterable[Equation], _: object) -> Nothing | None:
        """The bounds of what is at most zero; what may have several roots is left for trying."""
        for equation in equations:
            if equation.kind != "not above zero" or not equation.terms:
                continue
            signs = [coefficient > 0 for _, coefficient in sorted(equation.terms.items())]
            changes = sum(one != other for one, other in pairwise(signs))
            if changes > 1:  # one change of sign is one root above zero, by Descartes' rule
                self.untried.append(equation)
                continue
            if changes == 0:
                if signs[0]:
                    return Nothing(equation.law, "bound", equation.terms)
                continue
            grid = self._grid()
            rising = signs[-1]
            edge = bisect_left(grid, True, key=lambda y: self._holds(equation, y) != rising)
            kept = grid[:edge] if rising else grid[edge:]
            if not kept:
                return Nothing(equation.law, "none", before=tuple(self.narrowing))
            if len(kept) < len(grid):
                self.narrowing.append(equation.law)
                self.lowest, self.last = (plain(Fraction(y, self.denominator)) for y in (kept[0], kept[-1]))
        return None

    def candidates(self, equations: Sequence[Equation], trials: Sequence[Trial]) -> Nothing | None:
        """Where an equation has a few solutions only: those of them that all others allow."""
        few: list[int] | None = None
        grid = self._grid()
        most = grid.stop - 1
        for equation in equations:
            terms = {power: Fraction(c) / Fraction(self.denominator) ** power for power, c in equation.terms.items()}
            if equation.kind == "zero" and terms:
                found = self._roots(terms)
                if isinstance(found, Fraction):
                    return Nothing(equation.law, "root", root=plain(found / self.denominator))
            elif equation.kind == "whole" and min(terms, default=0) < 0:
                scale = lcm(*(coefficient.denominator for coefficient in terms.values()))
                found = divisors(abs(int(scale * terms[min(terms)])), most)
            else:
                continue
            both = found if few is None else sorted({*few} & {*found})
            if both != few:
                self.narrowing.append(equation.law)
            few = both
        if few is None:
            return None
        assert self.progression is not None
        values = [plain(Fraction(y, self.denominator)) for y in few if y in grid]
        values = [value for value in values if value in self.progression]
        every: list[Equation | Trial] = [*equations, *trials]
        for law in every:
            kept = [value for value in values if law.holds(value)]
            if not kept:
                return Nothing(law.law, "none", before=tuple(one for one in self.narrowing if one != law.law))
            if len(kept) < len(values):
                self.narrowing.append(law.law)
            values = kept
        self.listed = values
        self.untried = []
        return None

    def periods(self, equations: Iterable[Equation], trials: Iterable[Trial]) -> Nothing | None:
        """The classes of what repeats: of one period all are tried."""
        if self.listed is not None:
            return None
        assert self.progression is not None
        self.modulus = int(self.progression.step * self.denominator)
        self.residues = [int(self.progression.residue * self.denominator)]
        every: list[Equation | Trial] = [*equations, *trials]
        for law in every:
            period = self._period(law)
            if period is None:
                continue
            together = lcm(self.modulus, period)
            if period == 0 or together // self.modulus * len(self.residues) > MOST_TRIED:
                self.untried.append(law)
                continue
            candidates = [base + residue for base in range(0, together, self.modulus) for residue in self.residues]
            # 0 is the class of the modulus itself: what divides by x has no value at 0
            kept = [y for y in candidates if self._holds(law, y or together)]
            if not kept:
                return Nothing(law.law, "none", before=tuple(self.narrowing))
            if len(kept) < len(candidates):
                self.narrowing.append(law.law)
            self.residues, self.modulus = _shortened(kept, together)
        return self._few_enough()

    def solutions(self) -> Solutions:
        """What is left."""
        step = Fraction(self.modulus, self.denominator)
        untried = tuple(self.untried)
        return Solutions(
            lowest=self.lowest,
            last=self.last,
            residues=tuple(plain(Fraction(y, self.denominator)) for y in sorted(self.residues)),
            step=plain(step),
            listed=None if self.listed is None else tuple(self.listed),
            tested=(lambda value: all(law.holds(value) for law in untried)) if untried else None,
            laws=tuple(self.narrowing),
        )

    def _grid(self) -> range:
        """The whole numbers y of which the unknown may be `y / denominator`, as far as the bounds go."""
        return range(ceil(self.lowest * self.denominator), floor(self.last * self.denominator) + 1)

    def _holds(self, law: Equation | Trial, y: int) -> bool:
        return law.holds(y if self.denominator == 1 else plain(Fraction(y, self.denominator)))

    def _roots(self, terms: Mapping[int, Fraction]) -> list[int] | Fraction:
        """The whole roots above zero; the only root there is, where it is not one of these."""
        least = min(terms)
        scale = lcm(*(coefficient.denominator for coefficient in terms.values()))
        shifted = {power - least: coefficient * scale for power, coefficient in terms.items()}
        if shifted.keys() <= {0, 1}:
            root = -shifted[0] / shifted[1] if 1 in shifted else Fraction(0)
            return [int(root)] if root.denominator == 1 and root >= 1 else root
        return [y for y in divisors(abs(int(shifted[0])), self._grid().stop - 1) if evaluate(shifted, y) == 0]

    def _period(self, law: Equation | Trial) -> int | None:
        """In how many steps of y it repeats; 0 where it does not, None where it has been dealt with."""
        if isinstance(law, Trial):
            return law.period(self.denominator) or 0
        if law.kind != "whole" or law.terms.keys() <= {0, 1}:
            return None
        return lcm(*((Fraction(c) / Fraction(self.denominator) ** power).denominator for power, c in law.terms.items()))

    def _few_enough(self) -> Nothing | None:
        """What is left for trying is tried where that is quickly done, so that it is known whether anything passes."""
        if not self.untried or len(self._grid()) // self.modulus * len(self.residues) > MOST_TRIED:
            return None
        inside = {residue % self.modulus for residue in self.residues}
        values = [y for y in self._grid() if y % self.modulus in inside]
        for law in self.untried:
            kept = [y for y in values if self._holds(law, y)]
            if not kept:
                return Nothing(law.law, "none", before=tuple(self.narrowing))
            if len(kept) < len(values):
                self.narrowing.append(law.law)
            values = kept
        self.listed = [plain(Fraction(y, self.denominator)) for y in values]
        self.untried = []
        return None


def _shortened(residues: list[int], modulus: int) -> tuple[list[int], int]:
    """The same classes with the smallest modulus."""
    inside = {residue % modulus for residue in residues}
    for prime in divisors(modulus):
        while modulus % prime == 0 and prime > 1:
            shorter = modulus // prime
            if any((residue + shorter) % modulus not in inside for residue in inside):
                break
            modulus = shorter
            inside = {residue % modulus for residue in inside}
    return sorted(inside), modulus
