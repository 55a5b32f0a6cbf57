"""Offsets in a text as lines and columns."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from attrs import field, frozen

from tttdit.core.findings import Span


@frozen(slots=False)
class Lines:
    """A text whose lines end in line feeds alone."""

    text: str = field(repr=False)

    @cached_property
    def each(self) -> tuple[str, ...]:
        """The lines without their ends."""
        return tuple(self.text.split("\n"))

    def span(self, start: int, end: int) -> Span:
        """The stretch from one offset up to another."""
        return Span(*self._position(start), *self._position(end))

    def offset(self, line: int, column: int) -> int:
        """The offset of a place that a span names; what lies behind the text is its end."""
        if line > len(self._starts):
            return len(self.text)
        return min(self._starts[line - 1] + column - 1, len(self.text))

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((len(line) + 1 for line in self.each[:-1]), initial=0))
