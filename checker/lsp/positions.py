"""Places in a text: our spans (characters, from 1) and offsets (from 0), and an editor's positions, which count code units from 0."""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types
from pygls.workspace import PositionCodec

from tttdit.core.findings import Span

_LINE_END = re.compile(r"[\n\r]")  # a carriage return alone ends no line of TOML, but one of the protocol


class Positions:
    """The places of one text without carriage returns before its line feeds, in the encoding that editor and server have agreed upon."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self._text = text
        self._codec = codec
        self._lines = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._spanned = [0, *(match.end() for match in re.finditer("\n", text))]

    def range(self, span: Span | None) -> types.Range:
        """Where a span stands; a finding without one is shown at the first line."""
        if span is None:
            end = self._lines[1] - 1 if len(self._lines) > 1 else len(self._text)
            return self.between(0, end)
        return self.between(self._offset(span.line, span.column), self._offset(span.end_line, span.end_column))

    def between(self, start: int, end: int) -> types.Range:
        """The stretch from one offset up to another."""
        return types.Range(start=self.position(start), end=self.position(end))

    def position(self, offset: int) -> types.Position:
        """Where an offset is."""
        line = bisect_right(self._lines, offset) - 1
        return types.Position(line, self._codec.client_num_units(self._text[self._lines[line] : offset]))

    def offset(self, position: types.Position) -> int:
        """The offset of a position; behind the end of a line its end, behind the last line the end of the text."""
        if position.line >= len(self._lines):
            return len(self._text)
        start = self._lines[position.line]
        end = self._lines[position.line + 1] - 1 if position.line + 1 < len(self._lines) else len(self._text)
        units = 0
        for offset in range(start, end):
            if units >= position.character:
                return offset
            units += self._codec.client_num_units(self._text[offset])
        return end

    def _offset(self, line: int, column: int) -> int:
        if line > len(self._spanned):
            return len(self._text)
        return min(self._spanned[line - 1] + column - 1, len(self._text))
