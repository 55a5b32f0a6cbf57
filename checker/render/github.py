"""Workflow commands of GitHub Actions, which become annotations at the lines of a pull request.

    ::error title=TTD201 sequence-mini-batch,file=spec.toml,line=11,endLine=11,col=1,endColumn=25::51,453 tokens ...%0Ahelp: write ...

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.render.paint import Paint
from tttdit.checker.render.stage import of_stage
from tttdit.checker.render.text import visible
from tttdit.checker.render.workspace import in_workspace
from tttdit.checker.report import FileReport, Report
from tttdit.core.findings import Finding, Severity, Span

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report, paint: Paint) -> Iterator[str]:
    """A command for each finding, and for each file that could not be read."""
    for file in report.files:
        for finding in file.findings:
            yield _command(file, finding)
    for message in report.unreadable:
        yield f"::error title=tttdit::{_data(message)}"


def _command(file: FileReport, finding: Finding) -> str:
    properties = {"title": f"{finding.code} {finding.name}", "file": in_workspace(file.path), **_place(finding.span)}
    text = finding.message + of_stage(finding, file) + (f"\nhelp: {finding.help}" if finding.help else "")
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(text)}"


def _place(span: Span | None) -> dict[str, str]:
    """GitHub knows columns within one line only."""
    if span is None:
        return {}
    lines = {"line": str(span.line), "endLine": str(span.end_line)}
    columns = {"col": str(span.column), "endColumn": str(span.end_column)}
    return lines if span.end_line != span.line else {**lines, **columns}


def _data(text: str) -> str:
    """The text behind a command; its lines are kept."""
    return visible(text, keep="\n").replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
