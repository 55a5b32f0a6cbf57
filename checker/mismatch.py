"""Why two lengths differ: both formulas, both numbers, their difference as a product, and the count that would explain it.

A side that equals a dimension of the stage is taken to be what was meant. If the other side is off by `A*(X - c)`, where X is a dimension
and c a small number, then c of the A were counted where there are X. So `F*h*w` against `F*h*w + S*T - T`: the first is V, the difference
T*(S - 1), and as V + S*T is L, from L, one text segment was subtracted instead of 3.
"""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.dimensions import Dimensions
from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.symbolic.formula import Formula, Monomial, Number

# Counts that a person would have written by mistake; larger ones explain nothing.
_LARGEST_COUNT = 16


def explain(left: int, right: int, dims: Dimensions) -> str:
    """Both lengths, and what there is to say about them."""
    first, second = (_side_with_meaning(formula_of(value), int(value), dims) for value in (left, right))
    return f"{first} against {second}; {differ(left, right, dims)}"


def told(left: int, right: int, called: tuple[str, str], dims: Dimensions) -> str:
    """The same about two tensors that the module has named: `RoPE has F*h*w = 49,950 (V, video tokens), ...`."""
    sides = []
    for name, value in sorted(
        zip(called, (left, right), strict=True), key=lambda side: _named(formula_of(side[1]), dims) is None
    ):
        meant = _named(formula_of(value), dims)
        what = f" ({meant}, {dims.describe(meant).meaning})" if meant is not None else ""
        sides.append(f"{name} has {_side(formula_of(value), int(value))}{what}")
    return f"{', '.join(sides)}; {differ(left, right, dims)}"


def differ(left: int, right: int, dims: Dimensions) -> str:
    """What two lengths differ by, and the miscount that would explain it."""
    sides = (formula_of(left), formula_of(right))
    difference = sides[0] - sides[1] if left > right else sides[1] - sides[0]
    text = f"they differ by {abs(left - right):,}"
    if difference.constant is not None:
        return text
    text += f" = {difference.factored()}"
    why = _miscounted(sides, dims) or _multiple(sides, dims)
    return f"{text}: {why}" if why else text


def names(left: int, right: int, dims: Dimensions) -> str:
    """Which of two lengths are dimensions of the stage: `F*h*w is V, video tokens`."""
    found = [(formula, _named(formula, dims)) for formula in (formula_of(left), formula_of(right))]
    return "; ".join(
        f"{formula} is {name}, {dims.describe(name).meaning}"
        for formula, name in found
        if name is not None and str(formula) != name
    )


def _side(formula: Formula, value: int) -> str:
    return f"{value:,}" if formula.constant is not None else f"{formula} = {value:,}"


def _side_with_meaning(formula: Formula, value: int, dims: Dimensions) -> str:
    named = _named(formula, dims)
    number = _side(formula, value)
    return f"{number} ({dims.describe(named).meaning})" if named is not None else number


def _named(formula: Formula, dims: Dimensions) -> str | None:
    """The dimension that a formula is, where it is one."""
    if formula.constant is not None:
        return None
    return next((name for name in dims if dims.expand(Formula.symbol(name)) == formula), None)


def _miscounted(sides: tuple[Formula, Formula], dims: Dimensions) -> str | None:
    """The sentence about a wrong count; the best one where several fit."""
    found = [sentence for meant, got in (sides, sides[::-1]) for sentence in _counts(meant, got, dims)]
    return max(found)[1] if found else None


def _counts(meant: Formula, got: Formula, dims: Dimensions) -> Iterator[tuple[int, str]]:
    """Sentences, each with how much speaks for it, if `meant` is what should have been."""
    for name in sorted((got - meant).symbols()):
        for sign, preposition, did in ((1, "from", "subtracted"), (-1, "to", "added")):
            split = _linear((got - meant) * sign, name)
            if split is None or name not in dims or dims.value(name) is None:
                continue
            unit, count = split
            whole = _named(meant + unit * Formula.symbol(name) * sign, dims)
            known = (_named(meant, dims) is not None) + 2 * (whole is not None)
            if not known:
                continue
            what = _singular(dims.describe(name).meaning) if count == 1 else _plural(dims.describe(name).meaning)
            was = "was" if count == 1 else "were"
            number = "one" if count == 1 else str(count)
            if whole is None:
                yield known, f"{number} {what} {was} counted instead of {name} = {dims.value(name):,}"
            else:
                yield known, f"{preposition} {whole}, {number} {what} {was} {did} instead of {dims.value(name):,}"


def _linear(formula: Formula, name: str) -> tuple[Formula, int] | None:
    """The formula as `unit * (name - count)` with a small count of at least one."""
    slope: dict[Monomial, Number] = {}
    rest: dict[Monomial, Number] = {}
    for monomial, number in formula.terms.items():
        power = dict(monomial).get(name, 0)
        if power == 0:
            rest[monomial] = number
        elif power == 1:
            slope[tuple(item for item in monomial if item[0] != name)] = number
        else:
            return None
    if not slope or not rest:
        return None
    unit = Formula(slope)
    if (
        unit.constant is not None or name in unit.symbols()
    ):  # a plain number counts nothing; a rounded quotient is not linear
        return None
    count = (-Formula(rest) / unit).constant
    if not isinstance(count, int) or not 1 <= count <= _LARGEST_COUNT:
        return None
    return (unit, count) if all(number > 0 for number in slope.values()) else None


def _multiple(sides: tuple[Formula, Formula], dims: Dimensions) -> str | None:
    """The sentence about a side that is a multiple of the other."""
    for many, one in (sides, sides[::-1]):
        if not one.terms or one.constant is not None:
            continue
        factor = many / one
        if len(factor.terms) != 1 or any(
            not isinstance(atom, str) or power < 0 for atom, power in next(iter(factor.terms))
        ):
            continue
        value = dims.evaluate(factor) if factor.symbols() <= set(dims) else None
        if isinstance(value, int) and value > 1:
            number = f"{factor} = {value:,}" if factor.constant is None else f"{value:,}"
            return f"{many} is {number} times {one}"
    return None


def _plural(meaning: str) -> str:
    return meaning.split(",")[0].split("(")[0].strip()


def _singular(meaning: str) -> str:
    noun = _plural(meaning)
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
