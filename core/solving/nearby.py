"""Values to write instead of a wrong one: near it, and right by as many laws as can be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import Law, whole
from tttdit.core.symbolic.formula import Number

if TYPE_CHECKING:
    from tttdit.core.stage import Stage


def nearby(stage: Stage, symbol: str, must: Iterable[Law], count: int = 2) -> list[Number]:
    """Values for a symbol next to its present one, with which `must` holds, and of all other laws each that leaves any nearby.

    A law that no value nearby keeps is broken by another key, and must not hide the values that are right for this one; nor must one that
    rests on a dimension which another key leaves without a value. Where no value is near, it is the nearest with which `must` holds.
    """
    wanted, chosen = stage.dims.exact(symbol) or 1, list(must)

    def near(laws: Iterable[Law]) -> list[Number]:
        found = stage.solve(symbol, laws)
        return found.nearby(wanted, count) if found is not None else []

    holes = _holes_beside(stage.dims, symbol)
    others = [law for law in stage.every_law() if law not in chosen and not _below(stage.dims, law) & holes]
    values = near([*chosen, *others])
    if values:
        return values
    alone = stage.solve(symbol, chosen)
    values = near(chosen) or (alone.nearest(wanted, 1) if alone is not None else [])
    for law in others:
        kept = near([*chosen, law])
        if kept:
            values, chosen = kept, [*chosen, law]
    return values


def _holes_beside(dims: Dimensions, symbol: str) -> set[str]:
    """Dimensions that do not come out whole, whatever this symbol is."""
    broken = (law.formula for law in whole(dims) if law.holds(dims) is False)
    return {str(hole) for hole in broken if symbol not in dims.expand(hole, to_given=True).symbols()}


def _below(dims: Dimensions, law: Law) -> set[str]:
    """All dimensions that a law reads, and those that they follow from."""
    found: set[str] = set()
    new = {name for side in law.formulas() for name in side.symbols()}
    while new:
        found |= new
        definitions = [dims.describe(name).definition for name in new]
        new = {name for definition in definitions if definition is not None for name in definition.symbols()} - found
    return found
