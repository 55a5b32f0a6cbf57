"""Laws: what must divide what, what must equal what. Plugins declare them; the checker tests them and solves them for a key.

A law is a formula over the symbols of `Dimensions`, so that it can be asked for any value of any given symbol:
`Divisible(L, b)` answers which text lengths T are valid (T = 54 (mod 64) at 9 s) as well as whether this one is.
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


Law: TypeAlias = Divisible | Equal | AtMost


def solve(
    dims: Dimensions,
    laws: Iterable[Law],
    symbol: str,
    candidates: Iterable[int],
    given: Mapping[str, Number] | None = None,
) -> list[int]:
    """The candidates for a given symbol with which every law that it enters holds; with other values for given symbols where named.

    Laws that need another open value say nothing yet.
    """
    mine = _about(dims, laws, symbol, given)
    return [value for value in candidates if all(law.holds(dims, {symbol: value}) is not False for law in mine)]


def prefer(
    dims: Dimensions, must: Iterable[Law], wished: Iterable[Law], symbol: str, candidates: Iterable[int]
) -> list[int]:
    """The candidates with which `must` holds, and of the wished laws each that leaves one at all.

    A law that no candidate keeps is broken by another key, and must not hide the values that are right for this one.
    """
    values = solve(dims, must, symbol, candidates)
    for law in _about(dims, wished, symbol):
        kept = [value for value in values if law.holds(dims, {symbol: value}) is not False]
        values = kept or values
    return values


def _about(dims: Dimensions, laws: Iterable[Law], symbol: str, given: Mapping[str, Number] | None = None) -> list[Law]:
    """The laws that a symbol enters, with the values of all other symbols put in, so that many candidates are quickly tried."""

    def value_of(name: str) -> Formula | None:
        value = None if name == symbol else dims.exact(name, given)
        return None if value is None else Formula.number(value)

    found: list[Law] = []
    for law in laws:
        sides = [dims.expand(side, to_given=True) for side in law.formulas()]
        if any(symbol in side.symbols() for side in sides):
            found.append(type(law)(*(side.substitute(value_of) for side in sides)))
    return found


def nearest(values: Iterable[int], wanted: int, count: int = 3) -> list[int]:
    """The values next to the wanted one, in order of size."""
    return sorted(sorted(values, key=lambda value: (abs(value - wanted), -value))[:count])
