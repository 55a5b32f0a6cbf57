"""Findings as an editor shows them."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from tttdit.checker.lsp.positions import Positions
from tttdit.checker.render.text import visible
from tttdit.checker.report import FileReport
from tttdit.core.findings import Finding, Related, Severity

SOURCE = "tttdit"

_SEVERITIES: dict[Severity, types.DiagnosticSeverity] = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}


def diagnostics(report: FileReport, uri: str, positions: Positions) -> list[types.Diagnostic]:
    """One for each finding, in their order."""
    return [diagnostic(one, uri, positions, names_stage=report.is_curriculum) for one in report.findings]


def diagnostic(finding: Finding, uri: str, positions: Positions, *, names_stage: bool) -> types.Diagnostic:
    """The finding with its help; places that are related to it can be jumped to, what else is related is part of the message."""
    placed = [(related, _location(related, uri, positions)) for related in finding.related]
    notes = [_note(related) for related, location in placed if location is None]
    stages = finding.stages or ((finding.stage,) if finding.stage is not None else ())
    stage = f" ({'stage' if len(stages) == 1 else 'stages'} {', '.join(stages)})" if names_stage and stages else ""
    lines = [finding.message + stage, *notes, *([f"help: {finding.help}"] if finding.help else [])]
    return types.Diagnostic(
        range=positions.range(finding.span),
        message=_visible("\n".join(lines)),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source=SOURCE,
        related_information=[
            types.DiagnosticRelatedInformation(location, _visible(related.message))
            for related, location in placed
            if location is not None
        ],
    )


def failure(message: str, positions: Positions) -> types.Diagnostic:
    """Says in the file that it could not be checked."""
    return types.Diagnostic(
        range=positions.range(None), message=_visible(message), severity=types.DiagnosticSeverity.Error, source=SOURCE
    )


def _location(related: Related, uri: str, positions: Positions) -> types.Location | None:
    if related.span is None:
        return None
    if related.path is None:
        return types.Location(uri, positions.range(related.span))
    other = from_fs_path(str(Path(related.path).absolute()))
    if other is None:
        return None
    # of a plugin's module the line is told alone
    line = related.span.line - 1
    return types.Location(other, types.Range(start=types.Position(line, 0), end=types.Position(line, 0)))


def _note(related: Related) -> str:
    return f"note: {related.key}: {related.message}" if related.key is not None else f"note: {related.message}"


def _visible(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))
