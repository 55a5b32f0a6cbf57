"""The lines of a spec that a finding is about, with carets under every place involved.

12 | tokens_per_segment = 501
   |                      ^^^ 51,453 tokens in all
...
31 | mini_batch_size = 64
   |                   -- are cut into mini-batches of 64
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from attrs import frozen

from tttdit.checker.render.paint import Paint, Role
from tttdit.checker.render.text import cell, visible, width
from tttdit.core.findings import Span

# A longer source line is cut to a window around the place it is shown for.
LONGEST = 120
_BEFORE = 40
_CUT = "..."


@frozen
class Mark:
    """One place to underline, and what to say about it."""

    span: Span
    label: str
    primary: bool
    role: Role


def excerpt(lines: Sequence[str], marks: Sequence[Mark], paint: Paint, gutter: int) -> Iterator[str]:
    """The marked lines, each once, in their order; `gutter` is the width of the line numbers."""
    bar = paint(" " * gutter + " |", "gutter")
    yield bar
    before: int | None = None
    ordered = sorted(marks, key=lambda mark: (mark.span.line, not mark.primary, mark.span.column))
    for number, group in groupby(ordered, key=lambda mark: mark.span.line):
        if before is not None and number > before + 1:
            yield paint(_CUT, "gutter")
        before = number
        source = _line(lines, number)
        here = list(group)
        # of a long line every mark has a window of its own
        for shown in [here] if len(source) <= LONGEST else [[mark] for mark in here]:
            start, end = _window(source, shown[0])
            drawn, cells = _draw(source, start, end)
            yield (paint(f"{number:>{gutter}} |", "gutter") + f" {drawn}").rstrip()
            for mark in shown:
                yield f"{bar} {_underline(source, mark, start, end, cells, paint)}"
    yield bar


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


def _window(source: str, mark: Mark) -> tuple[int, int]:
    if len(source) <= LONGEST:
        return 0, len(source)
    start = max(0, min(mark.span.column - 1, len(source)) - _BEFORE)
    return start, min(len(source), start + LONGEST)


def _draw(source: str, start: int, end: int) -> tuple[str, list[int]]:
    """The text of the window, and the screen column of each of its characters and of its end."""
    drawn = _CUT if start else ""
    columns = [width(drawn)]
    for character in source[start:end]:
        text, cells = cell(character)
        drawn += text
        columns.append(columns[-1] + cells)
    return drawn + (_CUT if end < len(source) else ""), columns


def _underline(source: str, mark: Mark, start: int, end: int, columns: list[int], paint: Paint) -> str:
    first = min(max(mark.span.column - 1, start), end)
    last = mark.span.end_column - 1 if mark.span.end_line == mark.span.line else len(source.rstrip())
    last = min(max(last, first), end)
    left, right = columns[first - start], columns[last - start]
    line = ("^" if mark.primary else "-") * max(1, right - left)
    label = f" {visible(mark.label)}" if mark.label else ""
    return " " * left + paint(line + label, mark.role)
