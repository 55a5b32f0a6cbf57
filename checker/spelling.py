"""Formulas as a person would write them."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from tttdit.core.symbolic.formula import Formula


def spelled(formula: Formula) -> str:
    """The formula with one denominator for all of it, `(N + 3)/4` rather than `N/4 + 3/4`."""
    denominator = lcm(*(Fraction(number).denominator for number in formula.terms.values()))
    if denominator == 1 or len(formula.terms) < 2:
        return str(formula)
    return f"({formula * denominator})/{denominator}"
