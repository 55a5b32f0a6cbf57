"""Why no value keeps the laws: in numbers that anybody can check."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd, lcm

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import Divisible, Law
from tttdit.core.solving.equations import Nothing
from tttdit.core.solving.progressions import divisors
from tttdit.core.solving.wording import say
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.wording import spoken


def why_none(dims: Dimensions, symbol: str, nothing: Nothing, given: Mapping[str, Number]) -> str:
    """The reason as a sentence without an end."""
    if nothing.why == "root":
        root = nothing.root
        return f"{symbol} would be {spoken(root) if root.denominator == 1 else f'{float(root):,.2f}'}"
    if nothing.why == "apart":
        return (
            f"it would have to be {spoken(nothing.mine.residue)} more than a multiple of {spoken(nothing.mine.step)} "
            f"({say(nothing.law, dims)}), and {spoken(nothing.found.residue)} more than one of {spoken(nothing.found.step)}"
            f"{_laws(nothing.before, dims)}"
        )
    if nothing.why == "never":
        return _never(dims, symbol, nothing, given)
    if nothing.why == "bound":
        return f"{say(nothing.law, dims)} holds for none"
    kept = f" of those with {' and '.join(say(law, dims) for law in nothing.before)}" if nothing.before else ""
    return f"none{kept} keeps {say(nothing.law, dims)}"


def _laws(laws: tuple[Law, ...], dims: Dimensions) -> str:
    return f" ({' and '.join(say(law, dims) for law in laws)})" if laws else ""


def _never(dims: Dimensions, symbol: str, nothing: Nothing, given: Mapping[str, Number]) -> str:
    """`slope * x + constant` is never whole: a divisor of the modulus divides what moves, and not what stands still."""
    slope, constant = nothing.terms.get(1, 0), nothing.terms.get(0, 0)
    modulus = lcm(slope.denominator, constant.denominator)
    moving, still = int(slope * modulus), int(constant * modulus)
    common = gcd(moving, modulus)
    factor = next(value for value in divisors(common) if still % value)
    names = _names(dims, nothing.law, symbol, moving, still, modulus, given)
    part, rest, total, by = names
    if factor == 2:
        verdict = f"{part} is even and {rest} is odd, so {total} is odd, and {by} is even"
    else:
        verdict = (
            f"{part} is a multiple of {factor:,} and {rest} is not ({still % factor:,} left over), "
            f"so {total} is no multiple of {factor:,}, and {by} is one"
        )
    return verdict


def _names(
    dims: Dimensions, law: Law, symbol: str, moving: int, still: int, modulus: int, given: Mapping[str, Number]
) -> tuple[str, str, str, str]:
    """What moves with the symbol, what does not, their sum, and what has to divide it: `S*T = 2*T`, `V = 17,549`, `L`, `b = 64`."""
    numbers = f"{moving:,}*{symbol}", f"{still:,}", "their sum", f"{modulus:,}"
    if not isinstance(law, Divisible):
        return numbers
    formula = law.dividend
    while symbol not in formula.symbols():
        formula = formula.substitute(lambda name: _definition(dims, name, symbol))
    mine = {
        monomial: number for monomial, number in formula.terms.items() if symbol in Formula({monomial: 1}).symbols()
    }
    part, rest = Formula(mine), Formula({m: n for m, n in formula.terms.items() if m not in mine})
    still_value, divisor = dims.evaluate(rest, given), dims.evaluate(law.divisor, given)
    if (still_value, divisor) != (still, modulus):
        return numbers  # fractions have been made whole
    text = f"{part} = {moving:,}*{symbol}" if part != Formula.symbol(symbol) * moving else str(part)
    return text, _valued(rest, still), str(law.dividend), _valued(law.divisor, modulus)


def _definition(dims: Dimensions, name: str, symbol: str) -> Formula | None:
    """The definition of what depends on the symbol."""
    definition = dims.describe(name).definition
    if definition is None or symbol not in dims.expand(definition, to_given=True).symbols():
        return None
    return definition


def _valued(formula: Formula, value: int) -> str:
    return f"{value:,}" if formula.constant is not None else f"{formula} = {value:,}"
