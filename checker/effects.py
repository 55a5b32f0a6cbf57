"""What a change has done to a document's findings: which are gone, and which are new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from attrs import frozen

from tttdit.checker.report import FileReport
from tttdit.core.findings import Change, Finding, Replacement
from tttdit.core.spec.document import Document

# Code, key and stage: a finding's place moves with the lines above it, and its words with other values.
_Identity: TypeAlias = tuple[str, str | None, str | None]


@frozen
class Checked:
    """A document, what was found in it, and the changes that have led to it, with the keys that the document had then."""

    document: Document
    report: FileReport
    changes: tuple[Change, ...] = ()


def are_gone(findings: Sequence[Finding], before: Checked, after: Checked) -> bool:
    """Whether the document has these findings no more."""
    if not before.document.is_readable:
        return all(_is_passed(finding, before, after) for finding in findings)
    were, are = _count(before.report.findings), _count(after.report.findings)
    return all(are[one] <= were[one] - gone for one, gone in _count(findings).items())


def new_mistakes(findings: Sequence[Finding], before: Checked, after: Checked) -> list[Finding]:
    """What is wrong after the findings' fixes and was not before: errors and, where not all of the findings were errors, warnings.

    What could not be seen before, because its stage could not be made, is not new, unless it is about what has been changed.
    """
    if not before.document.is_readable:
        return []
    if not after.document.is_readable:
        return list(after.report.findings)
    grave = ("error",) if all(one.severity == "error" for one in findings) else ("error", "warning")
    made = {stage.name for stage in before.report.stages}
    changes = [change for one in findings if one.fix is not None for change in one.fix.edits]
    touched = {change.key for change in changes if not isinstance(change, Replacement)}
    were, are = _count(before.report.findings), _count(after.report.findings)
    return [
        one
        for one in after.report.findings
        if one.severity in grave and any(are[same] > were[same] for same in _identities(one))
        if one.key in touched or made.issuperset(one.of_stages)
    ]


def weight(checked: Checked) -> tuple[int, int, int]:
    """How much is wrong, and how much had to be changed: errors, then all else, then changes."""
    findings = [one.severity for one in checked.report.findings for _ in _identities(one)]
    errors = findings.count("error")
    return errors, len(findings) - errors, len(checked.changes)


def _identities(finding: Finding) -> Iterator[_Identity]:
    for stage in finding.of_stages or (None,):
        yield finding.code, finding.key, stage


def _is_passed(finding: Finding, before: Checked, after: Checked) -> bool:
    """Whether a mistake is gone from a text that could not be read: only its first is seen, so the next one has to be further down."""
    known = [one for one in before.report.findings if one != finding]
    left = () if after.document.is_readable else after.report.findings
    return all(_place(one) > _place(finding) or one in known for one in left)


def _count(findings: Iterable[Finding]) -> Counter[_Identity]:
    return Counter(one for finding in findings for one in _identities(finding))


def _place(finding: Finding) -> tuple[int, int]:
    return (finding.span.line, finding.span.column) if finding.span is not None else (0, 0)
