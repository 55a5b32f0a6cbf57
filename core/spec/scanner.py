"""Where everything stands in a TOML text: a second pass over text that tomli has accepted.

tomli says what a document means, not where. This pass finds, for every path that tomli has, the offsets of its key, its value
and its table's header, and all comments. It checks nothing; on text that tomli refuses it stops at the first thing that it cannot follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import tomli
from attrs import define, field, frozen

from tttdit.core.spec.keys import Path

_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*+")
_REST_OF_LINE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"#[^\n]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")

# A string of any kind. Five quotes may end one of several lines: two that belong to it, and the three that close it.
STRING = (
    r'''"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}|"(?:[^"\\\n]++|\\.)*+"'''
    r"""|'''(?:[^']++|'{1,2}(?!'))*+'{3,5}|'[^'\n]*+'"""
)
_SCALAR = re.compile(rf"{STRING}|[^,\]}}#\n]+", re.DOTALL)


@frozen
class Extent:
    """A stretch of the text: the offset of its first character, and that of the first one behind it."""

    start: int
    end: int


@define
class Place:
    """Where one path stands. A table that only other tables' headers mention has the key of the first of these."""

    key: Extent | None = None  # its own part of the key; None for an item of an array
    value: Extent | None = None  # None for tables that have a header, or are made of dotted keys
    header: Extent | None = None  # "[model.mixer]", with its brackets
    entry: Extent | None = None  # the whole of "video.seconds = 9"


@define
class Places:
    """All paths of a document, and the statements in the order in which they stand."""

    of: dict[Path, Place] = field(factory=dict)
    statements: list[tuple[Path, Extent]] = field(factory=list)  # path and key (or header) of each
    comments: list[Extent] = field(factory=list)  # each from its # to the end of its line
    mentions: dict[Path, list[Extent]] = field(factory=dict)  # every place where a path's own part of a key stands

    def mention(self, path: Path, extent: Extent) -> None:
        """Notes that the last part of this path stands here."""
        self.mentions.setdefault(path, []).append(extent)


class _Lost(Exception):
    """The text is not what tomli would have accepted."""


def scan(text: str) -> Places:
    """Every path of the text, whose lines end in line feeds alone, with its place. Raises RecursionError when it is nested too deeply."""
    scanner = _Scanner(text)
    with suppress(_Lost):
        scanner.run()
    return scanner.places


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places = Places()
        self.lengths: dict[Path, int] = {}  # of the arrays of tables

    def run(self) -> None:
        table: Path = ()
        self._skip(_BLANK_LINES)
        while self.at < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table, is_statement=True)
            self._skip(_REST_OF_LINE)
            self._skip(_BLANK_LINES)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        """Over blanks, line ends and comments, all of which may be missing."""
        match = pattern.match(self.text, self.at)
        assert match is not None
        if self.text.find("#", self.at, match.end()) >= 0:
            found = _COMMENT.finditer(self.text, self.at, match.end())
            self.places.comments += (Extent(*comment.span()) for comment in found)
        self.at = match.end()

    def _take(self, pattern: re.Pattern[str]) -> Extent:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _Lost
        self.at = match.end()
        return Extent(match.start(), match.end())

    def _key(self) -> list[tuple[str, Extent]]:
        parts = []
        while True:
            extent = self._take(_KEY_PART)
            parts.append((_unquoted(self.text[extent.start : extent.end]), extent))
            if not _DOT.match(self.text, self.at):
                return parts
            self._skip(_DOT)

    def _header(self) -> Path:
        start = self.at
        is_array = self.text.startswith("[[", start)
        self.at += 2 if is_array else 1
        self._skip(_BLANK)
        parts = self._key()
        self._skip(_BLANK)
        if not self.text.startswith("]]" if is_array else "]", self.at):
            raise _Lost
        self.at += 2 if is_array else 1
        header = Extent(start, self.at)

        parent = self._walk((), parts[:-1])
        name, extent = parts[-1]
        path: Path = (*parent, name)
        self.places.mention(path, extent)
        if is_array:
            count = self.lengths.get(path, 0)
            self.lengths[path] = count + 1
            self.places.of.setdefault(path, Place(key=extent, header=header))
            path = (*path, count)
            self.places.of[path] = Place(header=header)
        else:
            self.places.of[path] = Place(key=extent, header=header)
        self.places.statements.append((path, header))
        return path

    def _walk(self, path: Path, parts: list[tuple[str, Extent]]) -> Path:
        """Into tables that are there, or come to be by being mentioned."""
        for name, extent in parts:
            path = (*path, name)
            self.places.of.setdefault(path, Place(key=extent))
            self.places.mention(path, extent)
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
        return path

    def _pair(self, table: Path, *, is_statement: bool = False) -> None:
        parts = self._key()
        self._take(_EQUALS)
        parent = self._walk(table, parts[:-1])
        name, extent = parts[-1]
        path: Path = (*parent, name)
        place = Place(key=extent)
        written = Extent(parts[0][1].start, extent.end)
        if is_statement:
            self.places.statements.append((path, written))
        self.places.of.setdefault(path, place)
        self.places.mention(path, extent)
        place.value = self._value(path)
        place.entry = Extent(written.start, place.value.end)

    def _value(self, path: Path) -> Extent:
        """One frame a level, so that whatever tomli could nest fits on the stack here as well."""
        start = self.at
        if self.text.startswith("{", start):
            self.at += 1
            for _ in self._items("}"):
                self._pair(path)
        elif self.text.startswith("[", start):
            self.at += 1
            for index in self._items("]"):
                place = self.places.of[(*path, index)] = Place()
                place.value = self._value((*path, index))
        else:
            found = self._take(_SCALAR)
            if self.text[start] not in "\"'":
                self.at = start + len(self.text[start : found.end].rstrip(" \t"))
        return Extent(start, self.at)

    def _items(self, closing: str) -> Iterator[int]:
        """Stops before each item, and ends behind the closing bracket."""
        index = 0
        while True:
            self._skip(_BLANK_LINES)
            if self.text.startswith(closing, self.at):
                self.at += 1
                return
            yield index
            index += 1
            self._skip(_BLANK_LINES)
            if self.text.startswith(",", self.at):
                self.at += 1
            elif not self.text.startswith(closing, self.at):
                raise _Lost


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] != '"':
        return part
    if "\\" not in part:
        return part[1:-1]
    try:
        return str(tomli.loads(f"x = {part}")["x"])
    except tomli.TOMLDecodeError:
        raise _Lost from None
