"""Other keys to move, where the laws leave a key no value."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import apart
from tttdit.core.solving.question import Question, entering
from tttdit.core.solving.solutions import Domain, Solutions
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Number
from tttdit.core.unknowns import open_unknowns
from tttdit.core.wording import writable

# How many keys are named, and how many values of each are tried.
_MOVES = 3
_TRIED = 40


@frozen
class Move:
    """Another key's value with which there is an answer, and that answer."""

    key: str
    value: Number
    then: Number

    def __str__(self) -> str:
        return f"{self.key} = {writable(self.value)}"


def moves(stage: Stage, asked: str, domain: Domain, found: Solutions, near: Number) -> list[Move]:
    """Other keys, each with the nearest value for which the asked symbol has one in its domain; the smallest changes first.

    What follows keeps the laws about what the spec states itself, too; of several answers it is the one next to `near`.
    """
    dims, every, changes = stage.dims, stage.every_law(), []
    later = {asked, *(unknown.symbol for unknown in open_unknowns(stage.text))}
    question = stage.question(asked)
    for symbol, key, value in others(dims, asked, found):
        if symbol in later:
            continue
        own = [law for law in every if not entering(dims, law) & later]
        possible = Question(dims, own, symbol).answer(stage.domain(symbol))
        candidates = possible.nearby(value, _TRIED) if possible is not None else []
        for candidate in sorted(candidates, key=lambda one: (apart(one, value), -one)):
            answer = question.answer(domain, {symbol: candidate})
            values = answer.nearest(near, 1) if answer is not None and answer.tested is None else []
            if values:
                changes.append((float(apart(candidate, value) / value), Move(key, candidate, values[0])))
                break
    return [move for _, move in sorted(changes, key=lambda change: change[0])[:_MOVES]]


def others(dims: Dimensions, asked: str, found: Solutions) -> Iterator[tuple[str, str, Number]]:
    """The other given symbols that the laws depend on, each with the one key that gives it, and its value."""
    symbols = {name for law in found.laws for name in entering(dims, law)} - {asked}
    for symbol in dims:
        keys, value = dims.describe(symbol).keys, dims.exact(symbol) if symbol in symbols else None
        if value is not None and len(keys) == 1:
            yield symbol, keys[0], value
