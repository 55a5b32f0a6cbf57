"""The lines that a report ends with: what was found, what was fixed, in how much, and what can still be fixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Report
from tttdit.core.wording import plural


def closing(report: Report, paint: Paint, *, dry: bool = False) -> Iterator[str]:
    """`2 errors and 1 warning in 3 files, 4 stages`, with what was fixed before (or, if `dry`, would be), and then what can be.

    Nothing where no file could be read, for then nothing is known.
    """
    if report.files or not report.unreadable:
        yield _found(report, paint, dry)
        yield from _fixable(report)


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {plural(count, noun)}"


def _found(report: Report, paint: Paint, dry: bool) -> str:
    errors, warnings = report.count("error"), report.count("warning")
    fixed = sum(len(file.fixed) for file in report.files)
    done = f"{fixed:,} {'would be fixed' if dry else 'fixed'}, " if fixed else ""
    left = " left" if fixed else ""
    stages = sum(len(file.stages) for file in report.files)
    silenced = sum(file.silenced for file in report.files)
    where = counted(len(report.files), "file") + (f", {counted(stages, 'stage')}" if stages else "")
    where += f" ({counted(silenced, 'finding')} silenced)" if silenced else ""
    if not errors and not warnings:
        return f"{paint('ok', 'good')}: {done}nothing {'left' if fixed else 'wrong'} in {where}"
    parts = [paint(counted(errors, "error"), "error")] if errors else []
    parts += [paint(counted(warnings, "warning"), "warning")] if warnings else []
    return f"{done}{' and '.join(parts)}{left} in {where}"


def _fixable(report: Report) -> Iterator[str]:
    """`3 can be fixed with --fix (1 more with --unsafe-fixes)`."""
    kinds = Counter(finding.fix.applicability for finding in report.findings if finding.fix is not None)
    safe, unsafe = kinds["safe"], kinds["unsafe"]
    if safe:
        yield f"{safe:,} can be fixed with --fix" + (f" ({unsafe:,} more with --unsafe-fixes)" if unsafe else "")
    elif unsafe:
        yield f"{unsafe:,} can be fixed with --unsafe-fixes"
