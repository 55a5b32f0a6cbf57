"""Other text at places of a document, and every other byte of its file as it was."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate, pairwise

from attrs import frozen

from tttdit.core.errors import Uneditable
from tttdit.core.spec.document import Document

_BYTE_ORDER_MARK = "\ufeff"
_LINE_END = re.compile(r"\r?\n")


@frozen
class Splice:
    """Other text, with line feeds, for a stretch of the document's text; an empty stretch is where it is put in."""

    start: int
    end: int
    text: str


def spliced(document: Document, splices: Iterable[Splice]) -> bytes:
    """The file's bytes with these changes. New lines end as the line does on which they begin.

    Raises `Uneditable` where two of them change the same place, or the file is no text.
    """
    try:
        source = document.source.decode()
    except UnicodeDecodeError:
        raise Uneditable("the file is not text in UTF-8") from None
    ordered = sorted(splices, key=lambda splice: (splice.start, splice.end))
    if any(second.start < first.end for first, second in pairwise(ordered)):
        raise Uneditable("two changes are about the same place")
    mark = _BYTE_ORDER_MARK if source.startswith(_BYTE_ORDER_MARK) else ""
    raw = _Raw(source.removeprefix(mark))
    pieces, end = [mark], 0
    for splice in ordered:
        pieces += [raw.text[end : raw.offset(splice.start)], splice.text.replace("\n", raw.line_end(splice.start))]
        end = raw.offset(splice.end)
    return "".join([*pieces, raw.text[end:]]).encode()


class _Raw:
    """A text with its own line ends, addressed by offsets of the same text with line feeds alone."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ends = [match[0] for match in _LINE_END.finditer(text)]
        shorter = accumulate((len(end) - 1 for end in self.ends), initial=0)
        self.at = [match.start() - less for match, less in zip(_LINE_END.finditer(text), shorter, strict=False)]
        self.longer = list(accumulate((len(end) - 1 for end in self.ends), initial=0))

    def offset(self, offset: int) -> int:
        """The same place in this text."""
        return offset + self.longer[bisect_left(self.at, offset)]

    def line_end(self, offset: int) -> str:
        """How the line ends on which this place is; the last line, which has no end, as the one before."""
        if not self.ends:
            return "\n"
        return self.ends[min(bisect_left(self.at, offset), len(self.ends) - 1)]
