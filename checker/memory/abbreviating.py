"""Formulas over the symbols that people know.

Shapes carry formulas over a stage's atomic symbols: `2*B*D*F*h*w + 2*B*D*S*T`. With the derived ones of its table of dimensions
(V, L, K, n) and the common factor in front it is `2*B*D*L`, and means the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from math import gcd

from tttdit.checker.spelling import spelled
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Atom, Formula, Monomial, Number, Opaque
from tttdit.core.symbolic.stepping import sized

Powers = dict[Atom, int]


class Abbreviations:
    """The symbols of a stage: its dimensions, the derived ones made of those before them, and the sizes that operators are given."""

    def __init__(self, stage: Stage) -> None:
        self._dims = stage.dims
        self._sizes = _sizes(stage)
        lines = [stage.dims.describe(symbol) for symbol in stage.dims]
        self._definitions = [
            (line.symbol, line.definition) for line in lines if line.definition is not None and not line.atomic
        ]
        self._known: dict[Formula, Formula] = {}

    def shorten(self, formula: Formula) -> Formula:
        """The same formula over derived symbols: expanding these gives it back."""
        if formula not in self._known:
            short = _within(formula, self)
            for symbol, definition in self._definitions:
                short = _with_symbol(short, symbol, definition)
            self._known[formula] = short
        return self._known[formula]

    def value(self, formula: Formula) -> Number:
        """The formula's value; every symbol in it has one where the model could be followed."""
        value = self._dims.evaluate(formula.substitute(self._sizes.get))
        assert value is not None
        return value

    def keys_of(self, formula: Formula) -> tuple[str, ...]:
        """The spec's keys that enter a formula."""
        symbols = formula.symbols()
        sizes = [f"memory.{symbol}" for symbol in sorted(symbols & self._sizes.keys())]
        dims = [symbol for symbol in sorted(symbols) if symbol in self._dims]
        return tuple(dict.fromkeys([*(key for symbol in dims for key in self._dims.describe(symbol).keys), *sizes]))

    def among(self, formulas: Iterable[Formula]) -> dict[str, int]:
        """The symbols that occur in these formulas, and in their shortened forms, with their values."""
        used: set[str] = set()
        for formula in formulas:
            used |= formula.symbols() | self.shorten(formula).symbols()
        every = [symbol for symbol in (*self._dims, *self._sizes) if symbol in used]
        return {symbol: int(self.value(Formula.symbol(symbol))) for symbol in every}

    def text(self, formula: Formula) -> str:
        """The shortened formula with its common factor in front: `2*B*D*S*(13*h*w + T)`."""
        return product(self.shorten(formula))


def _sizes(stage: Stage) -> dict[str, Formula]:
    """The sizes of `[memory]` that are symbols in formulas, with what the strategy makes of them."""
    strategy, keys = stage.assembly.memory.strategy(stage.memory), sized(stage)
    regions = (*stage.assembly.model.regions, *stage.assembly.mixer.regions)
    return {
        region.key: Formula.number(strategy.group_size(region.key, int(stage.dims[region.count])))
        for region in regions
        if region.key in keys and region.count in stage.dims
    }


def product(formula: Formula) -> str:
    """A formula as its common factor times the rest."""
    if len(formula.terms) < 2:
        return str(formula)
    common = _common(formula)
    rest = formula / common
    if common.constant == 1:
        return spelled(formula)
    return f"{common}*({spelled(rest)})"


def _common(formula: Formula) -> Formula:
    """What divides every term: a whole number, and symbols in powers above 0."""
    numbers = [Fraction(number) for number in formula.terms.values()]
    whole = (
        reduce(gcd, (abs(number.numerator) for number in numbers)) if all(n.denominator == 1 for n in numbers) else 1
    )
    powers = [dict(monomial) for monomial in formula.terms]
    shared = {atom: min(each.get(atom, 0) for each in powers) for atom in powers[0]}
    return Formula({tuple((atom, power) for atom, power in shared.items() if power > 0): whole})


def _with_symbol(formula: Formula, symbol: str, definition: Formula) -> Formula:
    if len(definition.terms) > 1:
        return _with_sum(formula, symbol, definition)
    ((monomial, number),) = definition.terms.items()
    return _with_product(formula, symbol, dict(monomial)) if number == 1 and monomial else formula


def _with_product(formula: Formula, symbol: str, factors: Powers) -> Formula:
    """The symbol in place of the product that it stands for, in every term that has all of it."""
    result = Formula({})
    for monomial, number in formula.terms.items():
        powers = dict(monomial)
        times = min(_times(powers.get(atom, 0), power) for atom, power in factors.items())
        for atom, power in factors.items():
            powers[atom] = powers.get(atom, 0) - times * power
        result = result + _term(powers, number) * Formula.symbol(symbol) ** times
    return result


def _times(power: int, unit: int) -> int:
    """How often a power holds another of its sign."""
    return power // unit if power * unit > 0 else 0


def _with_sum(formula: Formula, symbol: str, definition: Formula) -> Formula:
    """The symbol in place of the sum that it stands for, as often as a multiple of all its terms is there."""
    lead = next(iter(definition.terms))
    for monomial in list(formula.terms):
        if any(dict(monomial).get(atom, 0) < power for atom, power in lead):
            continue
        factor = _term({atom: -power for atom, power in lead}, 1) * _term(dict(monomial), 1)
        multiple = _shared(formula, definition * factor)
        if multiple:
            formula = formula - definition * factor * multiple + Formula.symbol(symbol) * factor * multiple
    return formula


def _shared(formula: Formula, part: Formula) -> Number:
    """How often a sum is contained term by term in another; 0 where a term is missing or has the other sign."""
    ratios = [Fraction(formula.terms.get(monomial, 0)) / Fraction(number) for monomial, number in part.terms.items()]
    if all(ratio > 0 for ratio in ratios):
        return min(ratios)
    return max(ratios) if all(ratio < 0 for ratio in ratios) else 0


def _within(formula: Formula, known: Abbreviations) -> Formula:
    """The formula with what it rounds and divides shortened; what is rounded down below 0 is rounded up above it."""
    if all(isinstance(atom, str) for monomial in formula.terms for atom, _ in monomial):
        return formula
    result = Formula({})
    for monomial, number in formula.terms.items():
        term = Formula.number(number)
        for atom, power in monomial:
            term = term * (_term({atom: power}, 1) if isinstance(atom, str) else _shorter(atom, known) ** power)
        result = result + term
    return result


def _shorter(atom: Opaque, known: Abbreviations) -> Formula:
    first, second = (known.shorten(argument) for argument in atom.arguments)
    if atom.name == "floor" and all(number < 0 for number in first.terms.values()):
        return -_term({Opaque("ceil", -first, second): 1}, 1)
    return _term({Opaque(atom.name, first, second): 1}, 1)


def _term(powers: Powers, number: Number) -> Formula:
    """A number times powers of symbols."""
    result = Formula.number(number)
    for atom, power in powers.items():
        if power:
            monomial: Monomial = ((atom, power),)
            result = result * Formula({monomial: 1})
    return result
