"""A report for people: every finding with the lines it is about, every stage with its numbers, and a closing line."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.render.closing import closing
from tttdit.checker.render.excerpt import Mark, excerpt
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.stage import of_stage
from tttdit.checker.render.summary import summary
from tttdit.checker.render.text import visible
from tttdit.checker.report import FileReport, Report
from tttdit.core.findings import Finding, Related


def render(report: Report, paint: Paint) -> Iterator[str]:
    """The report's lines."""
    for file in report.files:
        yield from _file(file, paint)
        if file.stages:
            yield paint(visible(file.path), "strong")
        for stage in file.stages:
            yield from summary(stage, paint)
            yield ""
    yield from closing(report, paint)


def findings(report: Report, paint: Paint) -> Iterator[str]:
    """Its findings alone, without stages."""
    for file in report.files:
        yield from _file(file, paint)
    yield from closing(report, paint)


def _file(file: FileReport, paint: Paint) -> Iterator[str]:
    lines = file.text.split("\n")
    for finding in file.findings:
        yield from _finding(finding, file, lines, paint)
        yield ""


def _finding(finding: Finding, file: FileReport, lines: list[str], paint: Paint) -> Iterator[str]:
    title, *more = _lines(finding.message)
    head = paint(f"{finding.severity}[{visible(finding.code)}]", finding.severity)
    yield f"{head} {paint(f'{visible(finding.name)}: {title}', 'strong')}"
    for line in more:
        yield f"  {line}"
    marks, notes = _places(finding)
    gutter = max((len(str(mark.span.line)) for mark in marks), default=1)
    place = visible(file.path)
    if finding.span is not None:
        place += f":{finding.span.line}:{finding.span.column}"
    yield f"{' ' * gutter}{paint('-->', 'gutter')} {place}{visible(of_stage(finding, file))}"
    if marks:
        yield from excerpt(lines, marks, paint, gutter)
    for related in notes:
        yield from _remark("note", _note(related), gutter, paint)
    if finding.help:
        yield from _remark("help", finding.help, gutter, paint)


def _places(finding: Finding) -> tuple[list[Mark], list[Related]]:
    """The places in the spec's own text, and what stands somewhere else."""
    marks, notes = [], []
    if finding.span is not None:
        marks.append(Mark(finding.span, "", True, finding.severity))
    for related in finding.related:
        if related.path is None and related.span is not None and related.span != finding.span:
            marks.append(Mark(related.span, related.message, False, "related"))
        else:
            notes.append(related)
    return marks, notes


def _note(related: Related) -> str:
    if related.path is not None:
        line = f":{related.span.line}" if related.span is not None else ""
        return f"{related.path}{line}: {related.message}"
    return f"{related.key}: {related.message}" if related.key is not None else related.message


def _remark(word: str, text: str, gutter: int, paint: Paint) -> Iterator[str]:
    first, *more = _lines(text)
    lead = " " * gutter
    yield f"{lead} {paint('=', 'gutter')} {paint(f'{word}:', 'help' if word == 'help' else 'strong')} {first}"
    for line in more:
        yield f"{lead}   {' ' * len(word)}  {line}"


def _lines(text: str) -> list[str]:
    return [visible(line) for line in text.split("\n")]
