"""Left-over placeholders: `manifest = TODO` is no TOML, but everything else in the file can still be read.

Each is replaced by a string of the same length, so that all places stay what they are.
"""

from __future__ import annotations

import re

from attrs import frozen

from tttdit.core.findings import Finding
from tttdit.core.spec.positions import Lines
from tttdit.core.spec.scanner import STRING, Extent
from tttdit.core.spec.shortening import short

# One placeholder is a mistake of a person, hundreds are another kind of file.
MOST_PLACEHOLDERS = 100

PLACEHOLDER = r"(?:TODO|FIXME|XXX+|TBD|CHANGEME)\b|<[^>\n\"']*>"

_TOKEN = re.compile(
    rf"{STRING}|\#[^\n]*+|(?P<lead>=[ \t]*+|(?<!^)\[\s*+|,\s*+)(?P<placeholder>(?:{PLACEHOLDER})[^,\]}}#\n\"']*)",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_KEY = re.compile(r"([^\n=]*)=[^\n]*\Z")


@frozen
class Filled:
    """A text without placeholders, where they were, and what is to be said of each."""

    text: str
    extents: tuple[Extent, ...] = ()
    findings: tuple[Finding, ...] = ()


def fill(text: str) -> Filled:
    """The text with a string of the same length for each placeholder that stands where a value should."""
    extents: list[Extent] = []
    for match in _TOKEN.finditer(text):
        if match["placeholder"] is not None and len(extents) < MOST_PLACEHOLDERS:
            start = match.start("placeholder")
            extents.append(Extent(start, start + len(match["placeholder"].rstrip())))
    if not extents:
        return Filled(text)
    pieces, end = [], 0
    for extent in extents:
        pieces += [text[end : extent.start], f'"{"_" * (extent.end - extent.start - 2)}"']
        end = extent.end
    lines = Lines(text)
    findings = tuple(_finding(text, extent, lines) for extent in extents)
    return Filled("".join([*pieces, text[end:]]), tuple(extents), findings)


def _finding(text: str, extent: Extent, lines: Lines) -> Finding:
    word = text[extent.start : extent.end]
    line = text[text.rfind("\n", 0, extent.start) + 1 : extent.start]
    match = _KEY.fullmatch(line)
    key = short(match[1].strip()) if match else ""
    help = "A value must be written here; in quotes if it is text" + (f': {key} = "..."' if key else ".")
    message = f"{short(word)} is still to be replaced"
    return Finding("TTD001", "toml-syntax", "error", message, help, span=lines.span(extent.start, extent.end))
