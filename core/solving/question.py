"""From laws to equations in one unknown: which values of a given symbol keep all laws that it enters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from math import lcm
from typing import NamedTuple

from attrs import evolve

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import AtMost, Divisible, Equal, Law, Whole
from tttdit.core.solving.equations import Equation, Nothing, Trial, solve
from tttdit.core.solving.solutions import Domain, Solutions
from tttdit.core.solving.terms import difference, quotient, root, terms, terms_of_several
from tttdit.core.symbolic.formula import Formula, Number


class Unknown(NamedTuple):
    """A symbol that a spec leaves open: it takes the largest value up to `last` that the laws allow, or the `only` one."""

    symbol: str
    key: str
    last: int
    limit: str = ""  # the key behind `last`, "" where it is a bound of the field
    only: bool = False  # several answers are no answer


class Question:
    """Which values of a given symbol keep all laws. Asked again and again with other values for other symbols.

    `open` are symbols that find their own values, one after the other, once this one has its value: what leaves one of them none is
    no answer.
    """

    def __init__(self, dims: Dimensions, laws: Iterable[Law], symbol: str, open: Sequence[Unknown] = ()) -> None:
        self.dims = dims
        self.symbol = symbol
        self._open = [unknown for unknown in open if unknown.symbol != symbol]
        self.laws, self._entering = self._concerned(list(laws))
        self._open = [unknown for unknown in self._open if any(unknown.symbol in names for names in self._entering)]
        self._solved: dict[str, Formula] = {}
        # what goes without saying, as long as it excludes nothing
        self._implied: tuple[Law, ...] = tuple(law for law in self.laws if isinstance(law, Whole))
        if self._open:
            self._open = [unknown for unknown in self._open if not self._solve_for(unknown)]

    def answer(self, domain: Domain, given: Mapping[str, Number] | None = None) -> Solutions | None:
        """The values in the domain, with `given` values for other given symbols.

        None where a law needs a value that is open or not there: nothing can be said then.
        """
        given = given or {}
        left = {unknown.symbol for unknown in self._open}
        equations: list[Equation] = []
        trials: list[Trial] = []
        later: list[Law] = []  # those of what is still open
        for law, names in zip(self.laws, self._entering, strict=True):
            if names & left:
                later.append(law)
                continue
            values = self._values(names - {self.symbol}, given)
            if values is None:
                return None
            for one in self._equations(law, values, given):
                (equations if isinstance(one, Equation) else trials).append(one)  # type: ignore[arg-type]
        if later:
            trials.append(Trial(partial(self._settles, later, given), later[0], partial(self._period, later, given)))
        found = solve(equations, trials, domain)
        moved = {self.symbol, *left}
        shown = [
            law
            for law, names in zip(self.laws, self._entering, strict=True)
            if names & moved and law not in self._implied
        ]
        if isinstance(found, Nothing):
            from tttdit.core.solving.proofs import why_none

            if found.law not in shown:
                shown.append(found.law)
            why = why_none(self.dims, self.symbol, found, given)
            return Solutions(lowest=domain.lowest, last=domain.last, listed=(), laws=tuple(shown), why_none=why)
        return evolve(found, laws=tuple(dict.fromkeys([*shown, *found.laws])))

    @property
    def following(self) -> frozenset[str]:
        """The open symbols whose values depend on this one's."""
        solved = [name for name, value in self._solved.items() if self.symbol in value.symbols()]
        return frozenset([*solved, *(unknown.symbol for unknown in self._open)])

    def settled(self, value: Number, given: Mapping[str, Number] | None = None) -> dict[str, Number]:
        """This value, which is one of the answers, and what the open symbols become with it."""
        values = self._with_solved({**(given or {}), self.symbol: value})
        assert values is not None, "an answer has a value for all"
        return self._with_open(list(self.laws), values) or values

    # -- laws

    def _concerned(self, laws: list[Law]) -> tuple[tuple[Law, ...], tuple[frozenset[str], ...]]:
        """The laws that the symbol enters, and those of the open symbols that it thereby moves."""
        entering_each = [entering(self.dims, law) for law in laws]
        reached, free = {self.symbol}, {unknown.symbol for unknown in self._open}
        while True:
            more = {name for names in entering_each if names & reached for name in names & free} - reached
            if not more:
                break
            reached |= more
        kept = [(law, names) for law, names in zip(laws, entering_each, strict=True) if names & reached]
        return tuple(law for law, _ in kept), tuple(names for _, names in kept)

    def _solve_for(self, unknown: Unknown) -> bool:
        """Puts what an equality says about an open symbol in its place."""
        others = {other.symbol for other in self._open} - {unknown.symbol}
        for law, names in zip(self.laws, self._entering, strict=True):
            if not isinstance(law, Equal) or unknown.symbol not in names or names & others:
                continue
            left, right = (self.dims.expand(side, to_given=True) for side in law.formulas())
            value = root(left - right, unknown.symbol)
            if value is None:
                continue
            self._solved[unknown.symbol] = value
            bounds = (
                Whole(Formula.symbol(unknown.symbol)),
                AtMost(Formula.symbol(unknown.symbol), Formula.number(unknown.last)),
            )
            self.laws += bounds
            self._implied += bounds
            self._entering += (frozenset({unknown.symbol}),) * 2
            replaced = value.symbols()
            self._entering = tuple(
                names - {unknown.symbol} | replaced if unknown.symbol in names else names for names in self._entering
            )
            return True
        return False

    def _equations(
        self, law: Law, values: Mapping[str, Number], given: Mapping[str, Number]
    ) -> Iterator[Equation | Trial]:
        """The law as equations in the unknown alone; as a trial where it has no such form."""
        sides = [terms(self._expanded(side), self.symbol, values) for side in law.formulas()]
        whole = [side for side in sides if side is not None]
        if len(whole) < len(sides):
            yield Trial(partial(self._keeps, law, given), law)
        elif isinstance(law, Whole):
            (side,) = whole
            yield Equation("whole", side, law)
            if not self._is_positive(law):
                yield Equation("not above zero", difference({0: 1}, side), law)
        elif isinstance(law, Divisible):
            dividend, divisor = whole
            if len(divisor) == 1:
                yield Equation("whole", quotient(dividend, divisor), law)
            else:
                yield Trial(partial(self._keeps, law, given), law)
        else:
            yield Equation("zero" if isinstance(law, Equal) else "not above zero", difference(*whole), law)

    def _is_positive(self, law: Whole) -> bool:
        """Whether it is a sum of products of what is above 0 anyway."""
        terms = self.dims.expand(law.formula, to_given=True).terms
        return not law.formula.symbols() & self._solved.keys() and all(
            number > 0 and all(isinstance(atom, str) for atom, _ in monomial) for monomial, number in terms.items()
        )

    def _expanded(self, formula: Formula) -> Formula:
        expanded = self.dims.expand(formula, to_given=True)
        return expanded.substitute(self._solved.get) if self._solved else expanded

    def _values(self, names: Iterable[str], given: Mapping[str, Number]) -> dict[str, Number] | None:
        values = {}
        for name in names:
            value = self.dims.exact(name, given)
            if value is None:
                return None
            values[name] = value
        return values

    def _keeps(self, law: Law, given: Mapping[str, Number], value: Number) -> bool:
        values = self._with_solved({**given, self.symbol: value})
        return values is not None and law.holds(self.dims, values) is True

    def _with_solved(self, values: dict[str, Number]) -> dict[str, Number] | None:
        """The values with those of the open symbols that an equality gives; None where one is no length."""
        for name, value in self._solved.items():
            number = self.dims.evaluate(value, values)
            if number is None or number.denominator != 1 or number < 1:
                return None
            values[name] = number
        return values

    # -- open symbols

    def _settles(self, laws: list[Law], given: Mapping[str, Number], value: Number) -> bool:
        """Whether all open symbols find a value."""
        values = self._with_solved({**given, self.symbol: value})
        return values is not None and self._with_open(laws, values) is not None

    def _with_open(self, laws: list[Law], values: dict[str, Number]) -> dict[str, Number] | None:
        """The values with those of the open symbols, each as large as its laws allow; None where one has none."""
        values = dict(values)
        for position, unknown in enumerate(self._open):
            later = {other.symbol for other in self._open[position + 1 :]}
            mine = [law for law in laws if not entering(self.dims, law) & later]
            answer = Question(self.dims, mine, unknown.symbol).answer(Domain(1, unknown.last), values)
            largest = None if answer is None else answer.largest
            if answer is None or largest is None or (unknown.only and answer.smallest != largest):
                return None
            values[unknown.symbol] = largest
        return values

    def _period(self, laws: list[Law], given: Mapping[str, Number], denominator: int) -> int | None:
        """In how many steps of the unknown, times the denominator, it repeats whether an open symbol finds a value; None for never."""
        if len(self._open) != 1:
            return None
        periods = [self._period_of(law, self._open[0].symbol, given, denominator) for law in laws]
        known = [period for period in periods if period is not None]
        return lcm(*known) if len(known) == len(periods) else None

    def _period_of(self, law: Law, other: str, given: Mapping[str, Number], denominator: int) -> int | None:
        sides = [self._in_both(side, other, given) for side in law.formulas()]
        known = [side for side in sides if side is not None]
        if len(known) < len(sides):
            return None
        if isinstance(law, Equal | AtMost):  # a bound that moves with the unknown never repeats
            return None if any(power for side in known for power, _ in side) else 1
        whole = known[0]
        if isinstance(law, Divisible):
            if known[1].keys() != {(0, 0)}:
                return None
            whole = {powers: Fraction(coefficient) / known[1][0, 0] for powers, coefficient in whole.items()}
        elif not self._is_positive(law):
            return None
        if any(power < 0 for powers in whole for power in powers):
            return None
        return lcm(*((c / Fraction(denominator) ** powers[0]).denominator for powers, c in whole.items()))

    def _in_both(
        self, formula: Formula, other: str, given: Mapping[str, Number]
    ) -> dict[tuple[int, ...], Number] | None:
        """Coefficients by the powers of the unknown and of an open symbol."""
        expanded = self._expanded(formula)
        values = self._values(expanded.symbols() - {self.symbol, other}, given)
        return None if values is None else terms_of_several(expanded, (self.symbol, other), values)


def entering(dims: Dimensions, law: Law) -> frozenset[str]:
    """The given symbols that a law depends on."""
    return frozenset(name for side in law.formulas() for name in dims.expand(side, to_given=True).symbols())
