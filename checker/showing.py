"""Writes what a check has found to whoever reads it, and to standard error what could not be read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

from tttdit.checker.output import complain, write, write_bytes
from tttdit.checker.render.formats import renderer
from tttdit.checker.render.paint import paint_for
from tttdit.checker.report import Report


def show_report(report: Report, output_format: str, stream: TextIO | None, *, statistics: bool) -> bool:
    """Writes the findings in this format, or how often each code was found; whether anybody reads it.

    Raises `UsageError` where it cannot be written, or the format has no statistics.
    """
    paint = paint_for(stream, os.environ)
    if statistics:
        from tttdit.checker.render import statistics as counting

        lines = counting.render(report, output_format, paint)
    else:
        lines = renderer(output_format)(report, paint)
    is_read = write(lines, stream)
    _complain_of(report)
    return is_read


def show_changes(report: Report, changes: Iterable[tuple[str, str, str]]) -> bool:
    """Writes what would change (path, text before and after) and, on standard error, what would be left; whether anybody reads it."""
    from tttdit.checker.render import diff
    from tttdit.checker.render.closing import closing

    is_seen = sys.stdout is not None and sys.stdout.isatty()
    paint = paint_for(sys.stdout, os.environ)
    lines = (line for change in changes for line in diff.render(*change, paint, is_seen=is_seen))
    # in a file or a pipe the bytes are those of the specs, whatever the locale's encoding is
    is_read = write(lines) if is_seen else write_bytes("".join(f"{line}\n" for line in lines).encode())
    write(closing(report, paint_for(sys.stderr, os.environ), dry=True), sys.stderr)
    _complain_of(report)
    return is_read


def _complain_of(report: Report) -> None:
    for message in report.unreadable:
        complain(message)
