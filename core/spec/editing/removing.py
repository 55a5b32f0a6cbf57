"""What goes away with a key: its line and the comment on it, or its entry in braces and a comma."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tttdit.core.errors import Uneditable
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.editing.layout import Layout
from tttdit.core.spec.editing.splices import Splice
from tttdit.core.spec.keys import Path
from tttdit.core.spec.scanner import Extent

_BEFORE_COMMA = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*+(?=,)")
_BLANK = re.compile(r"[ \t]*")
_REST_OF_ITEM_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?\n")


def removed(document: Document, path: Path) -> list[Splice]:
    """The key with its value; of a table every key and header that it has, but not the comments between them.

    Raises `Uneditable` where the document has no such key.
    """
    layout = Layout(document)
    statements = [(statement, extent) for statement, extent in document.statements if statement[: len(path)] == path]
    if statements:
        lines = [(extent.start, layout.end_of(statement, extent)) for statement, extent in statements]
        return list(_lines(layout, lines))
    place = document.places.get(path)
    extent = (place.entry or place.value) if place is not None else None
    if extent is None:
        raise Uneditable(f"there is no {keys.join(path)} that could be taken away")
    return _entry(layout, extent)


def _lines(layout: Layout, extents: list[tuple[int, int]]) -> Iterator[Splice]:
    """The lines on which these stand, those that follow each other as one."""
    length = len(layout.text)
    blocks: list[tuple[int, int]] = []
    for start, end in extents:
        first, behind = layout.line_start(start), layout.line_end(end) + 1
        if blocks and blocks[-1][1] == first:
            first, _ = blocks.pop()
        blocks.append((first, behind))
    for first, behind in blocks:
        # a file that ends without a line feed shall do so again
        yield Splice(first, behind, "") if behind <= length else Splice(max(0, first - 1), length, "")


def _entry(layout: Layout, extent: Extent) -> list[Splice]:
    """An entry of an inline table, or an item of an array."""
    text, start = layout.text, extent.start
    comma = _BEFORE_COMMA.match(text, extent.end)
    if comma is None:
        before = text[:start].rstrip(" \t\n")
        return [Splice(len(before) - 1 if before.endswith(",") else start, extent.end, "")]
    if "#" in comma[0]:
        return [Splice(start, extent.end, ""), Splice(comma.end(), comma.end() + 1, "")]
    end = comma.end() + 1
    alone = layout.line_start(start)
    rest = _REST_OF_ITEM_LINE.match(text, end)
    if rest is not None and not text[alone:start].strip():
        return [Splice(alone, rest.end(), "")]
    blank = _BLANK.match(text, end)
    return [Splice(start, blank.end() if blank is not None else end, "")]
