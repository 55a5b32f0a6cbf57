"""Formulas as sums in one unknown, or several, with numbers for all other symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from tttdit.core.solving.progressions import plain
from tttdit.core.symbolic.formula import Formula, Number, Opaque

# Coefficients by the powers of the unknown, which may be negative.
Terms: TypeAlias = Mapping[int, Number]


def evaluate(terms: Terms, value: Number) -> Number:
    """The sum for a value that is not zero."""
    total: Number = 0
    for power, coefficient in terms.items():
        total += coefficient * (value**power if power >= 0 else Fraction(1) / value**-power)
    return total


def terms(formula: Formula, unknown: str, values: Mapping[str, Number]) -> dict[int, Number] | None:
    """Coefficients by powers of the unknown; None where it stands in a rounded part, or below a sum."""
    found = terms_of_several(formula, (unknown,), values)
    return None if found is None else {powers[0]: coefficient for powers, coefficient in found.items()}


def terms_of_several(
    formula: Formula, unknown: Sequence[str], values: Mapping[str, Number]
) -> dict[tuple[int, ...], Number] | None:
    """Coefficients by the powers of all unknowns."""
    found: dict[tuple[int, ...], Number] = {}
    for monomial, number in formula.terms.items():
        powers, coefficient = [0] * len(unknown), number
        for atom, power in monomial:
            if atom in unknown:
                powers[unknown.index(atom)] = power
                continue
            if isinstance(atom, Opaque) and any(argument.symbols() & {*unknown} for argument in atom.arguments):
                return None
            base = values[atom] if isinstance(atom, str) else atom.evaluate(values)
            if power < 0 and base == 0:
                return None
            coefficient = coefficient * (base**power if power > 0 else Fraction(1) / base**-power)
        key = tuple(powers)
        found[key] = found.get(key, 0) + coefficient
    return {powers: plain(coefficient) for powers, coefficient in found.items() if coefficient}


def difference(left: Terms, right: Terms) -> dict[int, Number]:
    """The one less the other."""
    found = dict(left)
    for power, coefficient in right.items():
        found[power] = found.get(power, 0) - coefficient
    return {power: coefficient for power, coefficient in found.items() if coefficient}


def quotient(dividend: Terms, divisor: Terms) -> dict[int, Number]:
    """The one by the other, which is a single term."""
    ((below, by),) = divisor.items()
    return {power - below: plain(Fraction(coefficient) / by) for power, coefficient in dividend.items()}


def root(formula: Formula, symbol: str) -> Formula | None:
    """What a symbol has to be for a formula to be zero, where it occurs once, times a number."""
    mine = [
        (monomial, number) for monomial, number in formula.terms.items() if symbol in Formula({monomial: 1}).symbols()
    ]
    if len(mine) != 1 or mine[0][0] != ((symbol, 1),):
        return None
    ((monomial, number),) = mine
    rest = Formula({other: value for other, value in formula.terms.items() if other != monomial})
    return rest * (Fraction(-1) / number)
