"""The table of a stage's dimensions: symbol, meaning, formula, value, and the keys of the spec that they come from.

Plugins fill it one after the other (video, codec, text, model, mixer), each from what stands there already:

    dims.give("S", table.segments, meaning="text segments", keys=("text.segments",))
    dims.derive("V", dims.symbol("F") * dims.symbol("h") * dims.symbol("w"), meaning="video tokens")

A value that is not there yet (`"auto"`) or does not come out whole leaves a hole, not an exception: whoever reads it gets
`Unresolved`, and a rule that depends on it is silent, because the mistake that made the hole is reported by its own rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from attrs import frozen

from tttdit.core.errors import Unresolved
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula, Number


@frozen
class Dimension:
    """One line of the table."""

    symbol: str
    meaning: str
    keys: tuple[str, ...]  # the spec's keys that give it, or enter its formula
    definition: Formula | None  # over other symbols of the table; None: given by the spec
    atomic: bool  # shapes of tensors are written with it, rather than with its definition


class Dimensions(Mapping[str, Dim]):
    """Symbols and what they stand for; `dims["L"]` is a `Dim` whose formula is over the atomic symbols."""

    def __init__(self) -> None:
        self._table: dict[str, Dimension] = {}
        self._given: dict[str, Number | None] = {}
        self._spoiled: set[str] = set()
        self._dims: dict[str, Dim] = {}  # one object each, so that arithmetic with it is found again (`remembering`)
        self._expanded: dict[tuple[Formula, bool], Formula] = {}

    # -- filling

    def give(self, symbol: str, value: Number | None, *, meaning: str, keys: tuple[str, ...]) -> None:
        """A dimension that the spec states; None where it is still to be solved for."""
        self._add(Dimension(symbol, meaning, keys, None, atomic=True))
        self._given[symbol] = value

    def derive(
        self, symbol: str, definition: Formula, *, meaning: str, keys: tuple[str, ...] = (), atomic: bool = False
    ) -> None:
        """A dimension that follows from others; its keys are theirs, after those named here."""
        inherited = [key for name in sorted(definition.symbols()) for key in self._table[name].keys]
        self._add(Dimension(symbol, meaning, tuple(dict.fromkeys([*keys, *inherited])), definition, atomic))

    def settle(self, symbol: str, value: Number) -> None:
        """The value of a given dimension that was open."""
        assert self._table[symbol].definition is None, f"{symbol} is derived, not given"
        self._given[symbol] = value

    def forget(self, symbol: str) -> None:
        """Opens a given dimension: its value is not known."""
        assert self._table[symbol].definition is None, f"{symbol} is derived, not given"
        self._given[symbol] = None

    def spoil(self, *symbols: str) -> None:
        """These values are not to be believed: reading them, or what follows from them, raises `Unresolved`."""
        self._spoiled.update(symbols)

    def _add(self, dimension: Dimension) -> None:
        assert dimension.symbol not in self._table, f"{dimension.symbol} is defined twice"
        self._table[dimension.symbol] = dimension

    # -- reading

    @staticmethod
    def symbol(name: str) -> Formula:
        """The symbol as a formula."""
        return Formula.symbol(name)

    def __getitem__(self, symbol: str) -> Dim:
        """Value and formula over atomic symbols. Raises `Unresolved` for a hole, KeyError for a symbol that nobody defined."""
        value = self.value(symbol)
        if value is None:
            raise Unresolved(symbol)
        known = self._dims.get(symbol)
        if known is None or known != value:
            known = self._dims[symbol] = Dim(value, self.expand(Formula.symbol(symbol)))
        return known

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def describe(self, symbol: str) -> Dimension:
        """Its line of the table."""
        return self._table[symbol]

    def value(self, symbol: str) -> int | None:
        """Its value where it is known, whole and at least 1, and where nothing that it follows from is a hole; else None."""
        if self._is_hole(symbol):
            return None
        exact = self.exact(symbol)
        return exact if isinstance(exact, int) and exact >= 1 else None

    def exact(self, symbol: str, given: Mapping[str, Number] | None = None) -> Number | None:
        """Its value, be it whole or not; with other values for given symbols where these are named. None where one is open."""
        return self.evaluate(Formula.symbol(symbol), given)

    def evaluate(self, formula: Formula, given: Mapping[str, Number] | None = None) -> Number | None:
        """The formula's value, be it whole or not; None where a symbol in it is open."""
        values: dict[str, Number] = {}
        for name in formula.symbols():
            definition = self._table[name].definition
            if given is not None and name in given:
                value: Number | None = given[name]
            elif definition is not None:
                value = self.evaluate(definition, given)
            else:
                value = self._given[name]
            if value is None:
                return None
            values[name] = value
        try:
            result = formula.evaluate(values)
        except ZeroDivisionError:
            return None
        return result.numerator if isinstance(result, Fraction) and result.denominator == 1 else result

    def expand(self, formula: Formula, *, to_given: bool = False) -> Formula:
        """The formula over atomic symbols; with `to_given`, over those that the spec states."""

        def definition(name: str) -> Formula | None:
            line = self._table.get(name)
            if line is None or line.definition is None or (line.atomic and not to_given):
                return None
            return self.expand(line.definition, to_given=to_given)

        known = self._expanded.get((formula, to_given))
        if known is not None:
            return known
        expanded = formula.substitute(definition)
        if formula.symbols() <= self._table.keys():  # then for good: what is defined is not defined anew
            self._expanded[formula, to_given] = expanded
        return expanded

    def keys_of(self, formula: Formula) -> tuple[str, ...]:
        """The spec's keys that enter a formula."""
        return tuple(dict.fromkeys(key for name in sorted(formula.symbols()) for key in self._table[name].keys))

    def open_symbols(self) -> tuple[str, ...]:
        """Given dimensions that still have no value."""
        return tuple(name for name, value in self._given.items() if value is None)

    def _is_hole(self, symbol: str) -> bool:
        """Whether a value is spoiled, or follows from one that is, or from a quotient that did not come out whole."""
        if symbol in self._spoiled:
            return True
        definition = self._table[symbol].definition
        return definition is not None and any(
            self._is_hole(name) or (self._table[name].definition is not None and not isinstance(self.exact(name), int))
            for name in definition.symbols()
        )
