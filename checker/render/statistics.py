"""How often each code was found, instead of the findings themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator

from attrs import asdict, frozen

from tttdit.checker.render.closing import closing
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import table
from tttdit.checker.report import Report
from tttdit.core.errors import UsageError
from tttdit.core.findings import Finding, Severity


@frozen
class Statistic:
    """One code: how many findings, and how many of them `--fix` mends, with `--unsafe-fixes` or without."""

    code: str
    name: str
    severity: Severity
    count: int
    fixable: int
    unsafely_fixable: int


def render(report: Report, output_format: str, paint: Paint) -> Iterator[str]:
    """The statistics' lines. Raises `UsageError` for a format that is made of findings."""
    if output_format not in ("full", "concise", "json"):
        raise UsageError(f"--statistics counts findings, and --output-format {output_format} lists them: leave one out")
    counts = statistics(report)
    if output_format == "json":
        yield json.dumps([asdict(one) for one in counts], indent=2)
    else:
        rows = ((f"{one.count:,}", f"{one.severity}[{one.code}]", one.name, _fixes(one)) for one in counts)
        yield from table(rows, right=frozenset({0}))
        yield from closing(report, paint)


def statistics(report: Report) -> list[Statistic]:
    """One for each code and severity, the most frequent first."""
    groups: dict[tuple[str, str, Severity], list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault((finding.code, finding.name, finding.severity), []).append(finding)
    counts = [
        Statistic(*group, len(found), _mended(found, "safe"), _mended(found, "unsafe"))
        for group, found in groups.items()
    ]
    return sorted(counts, key=lambda one: (-one.count, one.code, one.severity))


def _mended(findings: list[Finding], applicability: str) -> int:
    return sum(finding.fix is not None and finding.fix.applicability == applicability for finding in findings)


def _fixes(one: Statistic) -> str:
    with_unsafe = f"{one.unsafely_fixable} with --unsafe-fixes" if one.unsafely_fixable else ""
    without = f"{one.fixable} fixable" if one.fixable else ""
    return ", ".join(filter(None, (without, with_unsafe)))
