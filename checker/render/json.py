"""A report as JSON: the interface for programs."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Report


def render(report: Report, paint: Paint) -> Iterator[str]:
    """The report's lines."""
    yield report.to_json()
