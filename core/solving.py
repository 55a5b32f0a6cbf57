"""Solving laws for one key: every value that works, without trying, and the reason where there is none.

Nearly all laws are linear in each key: `F*h*w + S*T` divisible by `b` is `3*T + 49,950 = 0 (mod 64)`, whose answers are one class,
T = 54 (mod 64). Several laws leave what their classes and bounds have in common. What is not linear is tried, value by value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd, lcm

from attrs import evolve, frozen

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import Divisible, Equal, Law
from tttdit.core.symbolic.formula import Formula, Number

# So many values are tried at most against laws that are not linear.
_TRIED = 10_000


@frozen
class Solutions:
    """The values x from `lowest` to `last` with x = residue (mod step)."""

    lowest: int
    last: int
    residue: int = 0
    step: int = 1
    laws: tuple[Law, ...] = ()  # those that the symbol enters
    why_none: str = ""  # a law that no value keeps, in numbers

    @property
    def largest(self) -> int | None:
        """The largest value that works, None where none does."""
        value = self.last - (self.last - self.residue) % self.step
        return value if value >= self.lowest and not self.why_none else None

    @property
    def smallest(self) -> int | None:
        """The smallest value that works if `last` is no limit, None where none does."""
        return None if self.why_none else self.lowest + (self.residue - self.lowest) % self.step


class Question:
    """Which values of a given symbol keep all laws. Asked again and again with other values for other symbols."""

    def __init__(self, dims: Dimensions, laws: Iterable[Law], symbol: str) -> None:
        self.dims = dims
        self.symbol = symbol
        self.laws = tuple(law for law in laws if symbol in entering(dims, law))
        self._linear = [law for law in self.laws if _is_linear(dims, law, symbol)]
        self._curved = [law for law in self.laws if law not in self._linear]

    def answer(self, last: int, given: Mapping[str, Number] | None = None) -> Solutions | None:
        """The values from 1 to `last`, with `given` values for other given symbols.

        None where a law needs a value that is open or not whole: nothing can be said then.
        """
        given = given or {}
        found = Solutions(1, last, laws=self.laws)
        for law in self._linear:
            left, right = (_line(self.dims, side, self.symbol, given) for side in law.formulas())
            if left is None or right is None:
                return None
            (a, b), (c, d) = left, right
            if isinstance(law, Divisible):
                found = _in_class(found, a, b, d)
            elif isinstance(law, Equal):
                found = _at_root(found, self.symbol, a - c, d - b)
            else:
                found = _bounded(found, a - c, d - b)
            if found.why_none:
                return found
        return _tried(self.dims, self._curved, self.symbol, found, given) if self._curved else found


def solve(dims: Dimensions, laws: Iterable[Law], symbol: str, last: int) -> Solutions | None:
    """The values from 1 to `last` of a given symbol with which every law that it enters holds; see `Question.answer`."""
    return Question(dims, laws, symbol).answer(last)


def entering(dims: Dimensions, law: Law) -> frozenset[str]:
    """The given symbols that a law depends on."""
    return frozenset(name for side in law.formulas() for name in dims.expand(side, to_given=True).symbols())


def _is_linear(dims: Dimensions, law: Law, symbol: str) -> bool:
    dividend, divisor = (dims.expand(side, to_given=True) for side in law.formulas())
    if isinstance(law, Divisible) and symbol in divisor.symbols():
        return False
    return all(_degree_is_one(side, symbol) for side in (dividend, divisor))


def _degree_is_one(formula: Formula, symbol: str) -> bool:
    atoms = [(atom, power) for monomial in formula.terms for atom, power in monomial]
    if any(not isinstance(atom, str) and symbol in Formula({((atom, 1),): 1}).symbols() for atom, _ in atoms):
        return False
    return all(power == 1 for atom, power in atoms if atom == symbol)


def _line(dims: Dimensions, formula: Formula, symbol: str, given: Mapping[str, Number]) -> tuple[int, int] | None:
    """`(slope, constant)` of a linear formula, None where they are open or not whole."""
    constant = dims.evaluate(formula, {**given, symbol: 0})
    next_one = dims.evaluate(formula, {**given, symbol: 1})
    if not isinstance(constant, int) or not isinstance(next_one, int):
        return None
    return next_one - constant, constant


def _in_class(found: Solutions, slope: int, constant: int, modulus: int) -> Solutions:
    """Those with which `slope * x + constant` is a multiple of `modulus`."""
    common = gcd(slope, modulus)
    if constant % common:
        return evolve(
            found,
            why_none=f"{slope:,} times anything leaves a multiple of {common:,} when divided by {modulus:,}, "
            f"and {constant:,} leaves {constant % common:,} when divided by {common:,}",
        )
    step = modulus // common
    residue = -constant // common * pow(slope // common, -1, step) % step if step > 1 else 0
    # both classes, by the Chinese remainder theorem
    shared = gcd(found.step, step)
    if (residue - found.residue) % shared:
        return evolve(
            found,
            why_none=f"it would have to be {residue:,} more than a multiple of {step:,}, "
            f"and {found.residue:,} more than one of {found.step:,}",
        )
    times = (residue - found.residue) // shared * pow(found.step // shared, -1, step // shared) if step > shared else 0
    together = lcm(found.step, step)
    return evolve(found, residue=(found.residue + found.step * times) % together, step=together)


def _at_root(found: Solutions, symbol: str, slope: int, right: int) -> Solutions:
    """The one with which `slope * x = right`."""
    if slope == 0:
        return found if right == 0 else evolve(found, why_none=f"{right:,} is not 0")
    root = Fraction(right, slope)
    if root.denominator > 1 or root < 1:
        number = f"{root.numerator:,}" if root.denominator == 1 else f"{float(root):,.2f}"
        return evolve(found, why_none=f"{symbol} would be {number}")
    return evolve(found, lowest=max(found.lowest, int(root)), last=min(found.last, int(root)))


def _bounded(found: Solutions, slope: int, right: int) -> Solutions:
    """Those with which `slope * x <= right`."""
    if slope > 0:
        return evolve(found, last=min(found.last, right // slope))
    if slope < 0:
        return evolve(found, lowest=max(found.lowest, -(right // -slope)))
    return found if right >= 0 else evolve(found, why_none=f"{-right:,} too much")


def _tried(
    dims: Dimensions, laws: list[Law], symbol: str, found: Solutions, given: Mapping[str, Number]
) -> Solutions | None:
    """The largest with which these laws hold too."""
    value = found.largest
    for _ in range(_TRIED):
        if value is None or value < found.lowest:
            break
        verdicts = [law.holds(dims, {**given, symbol: value}) for law in laws]
        if None in verdicts:
            return None
        if all(verdicts):
            return evolve(found, lowest=value, last=value)
        value -= found.step
    return evolve(found, why_none="none of the values fits")
