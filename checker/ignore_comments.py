"""Comments that silence findings: `seconds = 10  # tttdit: ignore[TTD204] the last second is cut off later`.

Such a comment speaks for the findings whose place has a part in its line. One that stands on a line of its own, above the first table or
key, speaks for the whole file, findings without a place included. What comes behind the brackets is for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from tttdit.core.findings import Span
from tttdit.core.spec.document import Document

# A text without it has no such comment: nothing has to be looked for.
_MARK = "tttdit:"

# One comment may hold several: each ends where the next # begins.
_COMMENT = re.compile(r"#[ \t]*tttdit:[ \t]*ignore\b(?:[ \t]*\[(?P<codes>[^\]#]*)\])?[^#]*")


@frozen
class IgnoreComment:
    """One comment. `codes` are in capitals, each once; () where it names none, and silences nothing."""

    span: Span  # from its # to the end of the line, or to where the next begins
    codes: tuple[str, ...]
    brackets: Span | None  # with what is in them
    removal: Span  # what goes when the comment goes: the blanks before it too, or the whole line that it has for itself
    is_for_file: bool  # it speaks for the whole file, not for its line
    is_alone: bool  # on its line


def ignore_comments(document: Document) -> tuple[IgnoreComment, ...]:
    """Those of a document, in their order. What only looks like one, inside a text, is none."""
    if _MARK not in document.text:
        return ()
    return tuple(found for place in document.comments for found in _in_comment(document, place))


def _in_comment(document: Document, place: Span) -> Iterator[IgnoreComment]:
    line = document.lines[place.line - 1]
    start = place.column - 1
    is_alone = not line[:start].strip()
    first = document.first_line
    for match in _COMMENT.finditer(line, start):
        end = match.start() + len(match[0].rstrip())
        codes = (code.strip().upper() for code in (match["codes"] or "").split(","))
        brackets = match.span("codes") if match["codes"] is not None else None
        yield IgnoreComment(
            span=_span(place.line, match.start(), end),
            codes=tuple(dict.fromkeys(code for code in codes if code)),
            brackets=_span(place.line, brackets[0] - 1, brackets[1] + 1) if brackets is not None else None,
            removal=_removal(document, place.line, match.start(), end),
            is_for_file=is_alone and (first is None or place.line < first),
            is_alone=is_alone,
        )


def _removal(document: Document, number: int, start: int, end: int) -> Span:
    line = document.lines[number - 1]
    before = len(line[:start].rstrip())
    if before or line[end:].strip():
        return _span(number, before, end)
    return Span(number, 1, number + 1, 1) if number < len(document.lines) else _span(number, 0, len(line))


def _span(line: int, start: int, end: int) -> Span:
    return Span(line, start + 1, line, end + 1)
