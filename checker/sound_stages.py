"""The stages of a document whose memory can be spoken of: those of a spec that has no errors but about memory."""

from __future__ import annotations

from collections.abc import Sequence

from tttdit.checker.checking import Checker
from tttdit.checker.report import FileReport
from tttdit.checker.resolving import Resolved
from tttdit.core.spec.document import Document

# What is said about memory keeps nobody from looking for another setting: over budget is what a plan is for.
ABOUT_MEMORY = "TTD5"


def sound_stages(
    document: Document, *, stage: str | None, sets: Sequence[str], allowed: Sequence[str]
) -> tuple[Checker, FileReport, tuple[Resolved, ...]]:
    """The checker of these options, its report, and the stages; none where the report has errors."""
    checker = Checker(stage=stage, sets=tuple(sets), allowed=tuple(allowed), ignore=(ABOUT_MEMORY,))
    report = checker.check(document)
    return checker, report, checker.resolved(document) if report.ok else ()
