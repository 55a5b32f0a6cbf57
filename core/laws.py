"""Laws: what must divide what, what must equal what. Plugins declare them; the checker tests them and solves them for a key.

A law is a formula over the symbols of `Dimensions`, so that it can be asked for any value of any given symbol:
`Divisible(L, b)` answers which text lengths T are valid (T = 54 (mod 64) at 9 s; `tttdit.core.solving` finds them) as well as whether
this one is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from attrs import frozen

from tttdit.core.dimensions import Dimensions
from tttdit.core.symbolic.formula import Formula, Number


@frozen
class Divisible:
    """`dividend` is a whole multiple of `divisor`."""

    dividend: Formula
    divisor: Formula

    def holds(self, dims: Dimensions, given: Mapping[str, Number] | None = None) -> bool | None:
        """Whether it holds, with other values for given symbols where these are named; None where a value is open."""
        dividend, divisor = dims.evaluate(self.dividend, given), dims.evaluate(self.divisor, given)
        return None if dividend is None or not divisor else dividend % divisor == 0

    def formulas(self) -> tuple[Formula, Formula]:
        """Both sides."""
        return self.dividend, self.divisor


@frozen
class Equal:
    """`left` is `right`."""

    left: Formula
    right: Formula

    def holds(self, dims: Dimensions, given: Mapping[str, Number] | None = None) -> bool | None:
        """Whether it holds; see `Divisible.holds`."""
        left, right = dims.evaluate(self.left, given), dims.evaluate(self.right, given)
        return None if left is None or right is None else left == right

    def formulas(self) -> tuple[Formula, Formula]:
        """Both sides."""
        return self.left, self.right


@frozen
class AtMost:
    """`left` is at most `right`."""

    left: Formula
    right: Formula

    def holds(self, dims: Dimensions, given: Mapping[str, Number] | None = None) -> bool | None:
        """Whether it holds; see `Divisible.holds`."""
        left, right = dims.evaluate(self.left, given), dims.evaluate(self.right, given)
        return None if left is None or right is None else left <= right

    def formulas(self) -> tuple[Formula, Formula]:
        """Both sides."""
        return self.left, self.right


@frozen
class Whole:
    """`formula` comes out whole, and at least 1."""

    formula: Formula

    def holds(self, dims: Dimensions, given: Mapping[str, Number] | None = None) -> bool | None:
        """Whether it holds; see `Divisible.holds`."""
        value = dims.evaluate(self.formula, given)
        return None if value is None else value.denominator == 1 and value >= 1

    def formulas(self) -> tuple[Formula]:
        """The one formula."""
        return (self.formula,)


Law: TypeAlias = Divisible | Equal | AtMost | Whole


def whole(dims: Dimensions) -> list[Whole]:
    """What holds of every dimension that others give: it is a length, or a number of something."""
    return [Whole(Formula.symbol(symbol)) for symbol in dims if dims.describe(symbol).definition is not None]


def nearest(values: Iterable[Number], wanted: Number, count: int = 3) -> list[Number]:
    """The values next to the wanted one, in order of size."""
    return sorted(sorted(values, key=lambda value: (apart(value, wanted), -value))[:count])


def apart(one: Number, other: Number) -> Number:
    """How far two numbers are apart."""
    return max(one, other) - min(one, other)
