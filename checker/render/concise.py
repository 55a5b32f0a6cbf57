"""A finding a line, as compilers and editors have it: `spec.toml:11:1: error[TTD201] 51,453 tokens ...`.

The form is stable, for programs that look for places in what they read. A finding about a file as a whole stands at its first character.
"""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.render.closing import closing
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.stage import of_stage
from tttdit.checker.render.text import one_line, visible
from tttdit.checker.report import FileReport, Report
from tttdit.core.findings import Finding


def render(report: Report, paint: Paint) -> Iterator[str]:
    """The report's lines: its findings, and how many there are."""
    for file in report.files:
        for finding in file.findings:
            yield _line(file, finding, paint)
    yield from closing(report, paint)


def _line(file: FileReport, finding: Finding, paint: Paint) -> str:
    span = finding.span
    place = f"{visible(file.path)}:{span.line}:{span.column}" if span is not None else f"{visible(file.path)}:1:1"
    code = paint(f"{finding.severity}[{visible(finding.code)}]", finding.severity)
    return f"{place}: {code} {one_line(finding.message + of_stage(finding, file))}"
