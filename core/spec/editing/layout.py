"""How a document is laid out: its sections, each a table's header with the keys below it, and where its lines begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import field, frozen

from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path
from tttdit.core.spec.scanner import Extent

_INDENT = re.compile(r"[ \t]*")
_EQUALS = re.compile(r"([ \t]*)=[ \t]*")


@frozen
class Section:
    """A header, and the keys under it up to the next one. The first section has no header: it is what stands above all tables."""

    table: Path
    header: Extent | None
    keys: list[tuple[Path, Extent]] = field(factory=list)  # each with the place of its whole key, `video.fps`


class Layout:
    """A document's sections and lines."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.sections = [Section((), None)]
        for path, extent in document.statements:
            if self.text.startswith("[", extent.start):
                self.sections.append(Section(path, extent))
            else:
                self.sections[-1].keys.append((path, extent))

    def section(self, table: Path) -> Section | None:
        """The section whose header is this table's; () has the one without."""
        return next((section for section in self.sections if section.table == table), None)

    def under(self, table: Path) -> list[Section]:
        """The sections of this table and of those in it."""
        return [section for section in self.sections if section.table[: len(table)] == table]

    def end_of(self, path: Path, key: Extent) -> int:
        """Where the `key = value` ends whose key stands here."""
        entry = self.document.places[path].entry
        return entry.end if entry is not None else key.end

    def line_start(self, offset: int) -> int:
        """The beginning of the line on which this is."""
        return self.text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """The end of the line on which this is, before its line feed."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def indent(self, offset: int) -> str:
        """The blanks at the beginning of the line on which this is."""
        match = _INDENT.match(self.text, self.line_start(offset))
        return match[0] if match else ""

    def equals(self, key: Extent, written: str) -> str:
        """The `=` behind a new key, with blanks as behind the key that stands here; under that one where these are aligned."""
        match = _EQUALS.match(self.text, key.end)
        if match is None:
            return " = "
        before, after = match[1], match[0][len(match[1]) + 1 :]
        if len(before) > 1:
            before = " " * max(1, key.end - key.start + len(before) - len(written))
        return f"{before}={after}"

    def comment_above(self, section: Section) -> int:
        """Where the section begins with the comment lines that stand right above its header."""
        assert section.header is not None
        start = self.line_start(section.header.start)
        for comment in reversed(list(self._comment_lines(start))):
            if self.line_end(comment) + 1 != start:
                break
            start = comment
        return start

    def _comment_lines(self, before: int) -> Iterator[int]:
        """The beginnings of the lines above that have nothing but a comment."""
        for span in self.document.comments:
            offset = self.document.offset(span.line, span.column)
            if offset >= before:
                return
            start = self.line_start(offset)
            if not self.text[start:offset].strip():
                yield start
