"""Text of unknown origin, made fit for a terminal: what would move the cursor, hide or turn text around is spelled out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Control and format characters, surrogates, private and unassigned ones, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_TAB_CELLS = 4
_PLAIN = re.compile(r"[ -~]*")


def visible(text: str, *, keep: str = "") -> str:
    """The text with every character that is not simply drawn spelled as an escape; those in `keep` stay."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(character if character in keep else _drawn(character) for character in text)


def one_line(text: str) -> str:
    """The text made visible, its lines put together with blanks."""
    return " ".join(visible(line.strip()) for line in text.split("\n"))


def cell(character: str) -> tuple[str, int]:
    """How a character of a source line is drawn, and how many columns of a terminal it takes."""
    if character == "\t":
        return " " * _TAB_CELLS, _TAB_CELLS
    drawn = _drawn(character)
    return drawn, width(drawn)


def width(text: str) -> int:
    """How many columns of a terminal a text takes that has been made visible."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def table(rows: Iterable[tuple[str, ...]], *, right: frozenset[int] = frozenset(), indent: str = "  ") -> list[str]:
    """Rows with their columns under each other; those in `right` are aligned to the right."""
    kept = [tuple(visible(field) for field in row) for row in rows]
    if not kept:
        return []
    widths = [max(width(row[column]) for row in kept) for column in range(len(kept[0]))]
    lines = []
    for row in kept:
        fields = []
        for column, text in enumerate(row):
            space = " " * (widths[column] - width(text))
            fields.append(space + text if column in right else text + space)
        lines.append((indent + "  ".join(fields)).rstrip())
    return lines


def _drawn(character: str) -> str:
    if " " <= character <= "~":
        return character
    if unicodedata.category(character) not in _UNSEEN:
        return character
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if named is not None:
        return named
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
