"""A TOML text with its values and the place of each: the first station of everything that a check does.

    document = read("spec.toml")
    document.findings                                   # empty, or what keeps it from being read
    document.values["video"]["fps"]                     # 16
    document.value_span(("video", "fps"))               # Span(line=4, column=7, end_line=4, end_column=9)

Whatever bytes a file holds, there is a `Document`: one that cannot be read has no values, one finding and, for the renderer, its lines as
far as they are text. A byte order mark at the start, which Windows editors write and TOML has no word for, is passed over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import tomli
from attrs import field, frozen

from tttdit.core.errors import UsageError
from tttdit.core.findings import Finding, Span
from tttdit.core.spec import limits
from tttdit.core.spec.keys import Path
from tttdit.core.spec.placeholders import Filled, fill
from tttdit.core.spec.positions import Lines
from tttdit.core.spec.scanner import Extent, Place, Places, scan
from tttdit.core.spec.syntax import explain

LARGEST_FILE = 4 * 1024 * 1024  # bytes

_BYTE_ORDER_MARK = "\ufeff"


@frozen(slots=False)
class Document:
    """A text, what it says, and where."""

    path: str
    text: str = field(repr=False)  # without a byte order mark; line feeds alone end its lines
    values: dict[str, Any] = field(factory=dict)
    findings: tuple[Finding, ...] = ()
    source: bytes = field(default=b"", repr=False)  # as the file has it
    _filled: Filled | None = field(default=None, repr=False)  # None: it could not be read

    @classmethod
    def parse(cls, text: str, path: str = "<text>") -> Document:
        """The document that this text is. A text that is no TOML makes a document with a finding and no values."""
        return cls.decode(text.encode(errors="surrogatepass"), path)

    @classmethod
    def decode(cls, data: bytes, path: str = "<bytes>") -> Document:
        """The document that these bytes are."""
        if len(data) > LARGEST_FILE:
            return cls(path, "", findings=(limits.too_large(LARGEST_FILE),), source=data)
        try:
            return cls._of(data.decode(), path, data)
        except UnicodeDecodeError as error:
            text = data.decode(errors="replace").removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n")
            return cls(path, text, findings=(limits.not_utf8(data, error),), source=data)

    @classmethod
    def _of(cls, text: str, path: str, data: bytes) -> Document:
        text = text.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n")
        finding = limits.before_parsing(text)
        if finding is not None:
            return cls(path, text, findings=(finding,), source=data)
        filled = Filled(text)
        try:
            try:
                values = tomli.loads(text)
            except tomli.TOMLDecodeError:
                filled = fill(text)
                values = tomli.loads(filled.text)
        except tomli.TOMLDecodeError as error:
            return cls(path, text, findings=(*filled.findings, explain(str(error), filled.text)), source=data)
        except (RecursionError, ValueError, OverflowError):
            return cls(path, text, findings=(limits.after_failing(text),), source=data)
        document = cls(path, text, values, filled.findings, data, filled)
        beyond = limits.beyond(values)
        if beyond is not None:
            place, what = beyond
            refuse = limits.too_deep if what == "depth" else limits.number_too_long
            where = document.value_span(place) or document.table_span(place)
            return cls(path, text, findings=(refuse(where),), source=data)
        return document

    @property
    def is_readable(self) -> bool:
        """Whether it has values: its only faults, if any, are placeholders."""
        return self._filled is not None

    @cached_property
    def placeholders(self) -> frozenset[Path]:
        """The paths where a TODO stands instead of a value; their values are made up."""
        extents = self._filled.extents if self._filled is not None else ()
        found = {path: place.value for path, place in self.places.items()} if extents else {}
        return frozenset(path for path, value in found.items() if value in extents)

    @property
    def lines(self) -> tuple[str, ...]:
        """The text's lines, without their ends; `lines[span.line - 1]` is where a span begins."""
        return self._lines.each

    @cached_property
    def places(self) -> Mapping[Path, Place]:
        """Every path that the values have, keys and items of arrays, with its place."""
        return self._scanned.of

    @property
    def statements(self) -> Sequence[tuple[Path, Extent]]:
        """What stands on lines of its own, in its order: the path of each table and key, with the place of its header or whole key."""
        return self._scanned.statements

    def mentions(self, path: Path) -> Sequence[Extent]:
        """Every place where the last part of the path stands: `[model.mixer]` and `[model]` both mention the model."""
        return self._scanned.mentions.get(path, ())

    def offset(self, line: int, column: int) -> int:
        """The place in the text of a line and column as spans have them."""
        return self._lines.offset(line, column)

    def excerpt(self, span: Span) -> str:
        """What stands in a span; of several lines, the first."""
        return self.lines[span.line - 1][span.column - 1 : span.end_column - 1 if span.end_line == span.line else None]

    @cached_property
    def comments(self) -> tuple[Span, ...]:
        """Every comment, from its # to the end of its line, in their order."""
        return tuple(self._lines.span(extent.start, extent.end) for extent in self._scanned.comments)

    @property
    def first_line(self) -> int | None:
        """The line of the first table or key; None where there is none."""
        statements = self._scanned.statements
        return self._lines.span(statements[0][1].start, statements[0][1].end).line if statements else None

    def key_span(self, path: Path) -> Span | None:
        """Where the last part of the key stands. None for an item of an array, and for a path that the text does not have."""
        place = self.places.get(path)
        return self._span(place.key) if place else None

    def value_span(self, path: Path) -> Span | None:
        """Where the value stands. None for a table that is no inline table, and for a path that the text does not have."""
        place = self.places.get(path)
        return self._span(place.value) if place else None

    def entry_span(self, path: Path) -> Span | None:
        """The whole of `video.seconds = 9`; for a table its header, or the first key that mentions it; for an item its value."""
        place = self.places.get(path)
        return self._span(place.entry or place.header or place.value or place.key) if place else None

    def table_span(self, path: Path) -> Span | None:
        """A table's header with its brackets, or what stands in its place: its key, the inline table that it is.

        For a path that the text does not have, that of the nearest table around it; None where only the whole document is around it.
        """
        while path:
            place = self.places.get(path)
            if place is not None and (place.header or place.key):
                return self._span(place.header or place.key)
            path = path[:-1]
        return None

    @cached_property
    def _scanned(self) -> Places:
        return scan(self._filled.text) if self._filled is not None else Places()

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.text)

    def _span(self, extent: Extent | None) -> Span | None:
        return self._lines.span(extent.start, extent.end) if extent else None


def read(path: str | os.PathLike[str]) -> Document:
    """The document in a file. Raises `UsageError` where there is no file that can be read."""
    name = os.fspath(path)
    try:
        if stat.S_ISDIR(os.stat(name).st_mode):
            raise UsageError(f"{name} is a folder, not a file")
        with open(name, "rb") as file:
            return Document.decode(file.read(LARGEST_FILE + 1), name)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the file's name
        raise UsageError(f"cannot read {name!r}: {error}") from None
