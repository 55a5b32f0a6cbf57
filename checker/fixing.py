"""Applies the fixes that findings carry, in memory: one after the other, each checked before it is kept.

    fixed = fix(Checker(), read("spec.toml"), SAFE)
    fixed.document.source       # the bytes to write
    fixed.applied               # the findings that are gone

A fix is kept if its finding is gone and nothing new is wrong. Where a change makes another value wrong that can be put right as well (more
ranks, and a batch that they can share), both are one fix. The same mistake of several stages is one, too, if its remedy is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from attrs import evolve, frozen

from tttdit.checker.checking import Checker
from tttdit.checker.effects import Checked, are_gone, new_mistakes, weight
from tttdit.checker.report import FileReport
from tttdit.core.errors import Uneditable
from tttdit.core.findings import Applicability, Change, Finding, Replacement
from tttdit.core.spec.document import Document
from tttdit.core.spec.editing.changing import changed
from tttdit.core.spec.placing import placements

SAFE: frozenset[Applicability] = frozenset({"safe"})
SAFE_AND_UNSAFE: frozenset[Applicability] = frozenset({"safe", "unsafe"})

# So many texts are checked at most for one file. A file that needs more has other troubles; the command may be run again.
_MOST_CHECKED = 300
# How many further fixes one may need, and how many of them are looked at each time.
_FURTHER = 2
_ASIDE = 3


@frozen
class Fixed:
    """A document before and after its fixes."""

    before: FileReport
    after: FileReport
    document: Document  # afterwards
    applied: tuple[Finding, ...]  # those that are gone, as they were
    changes: tuple[Change, ...]  # what has been changed for that, in this order


def fix(checker: Checker, document: Document, allowed: frozenset[Applicability]) -> Fixed:
    """The document with every fix of these kinds that does what it should. The last report is the checker's, `verify` included.

    What is found without verifying is fixed first; then, where that was asked for, what only verifying finds.
    """
    fixer = _Fixer(evolve(checker, verify=None), allowed)
    now = Checked(document, fixer.checker.check(document))
    before = now.report
    now = fixer.fixed(now)
    if checker.verify is not None:
        fixer = _Fixer(checker, allowed, fixer)
        now = fixer.fixed(evolve(now, report=checker.check(now.document)))
    return Fixed(before, _without_fixes(now.report, fixer.in_vain), now.document, tuple(fixer.applied), now.changes)


def _without_fixes(report: FileReport, in_vain: list[Finding]) -> FileReport:
    """The report, in which a fix that has been tried in vain is proposed no more."""
    findings = (evolve(finding, fix=None) if finding in in_vain else finding for finding in report.findings)
    return evolve(report, findings=tuple(findings))


@frozen
class _Mistake:
    """Findings that one fix puts right: one, or the same of several stages, which have it in words of their own."""

    findings: tuple[Finding, ...]

    @property
    def whole(self) -> Finding:
        """A finding about all of their stages."""
        first, *others = self.findings
        stages = tuple(name for one in self.findings for name in one.of_stages)
        return evolve(first, stage=None, stages=stages) if others else first

    @property
    def is_safe(self) -> bool:
        """Whether its fix leaves the meaning what it is."""
        fix = self.findings[0].fix
        return fix is not None and fix.applicability == "safe"

    @property
    def changes(self) -> tuple[Change, ...]:
        """What its fix changes."""
        fix = self.findings[0].fix
        return fix.edits if fix is not None else ()

    @property
    def is_without_keys(self) -> bool:
        """Whether its fix changes no value: a comment, which may be many."""
        return all(isinstance(change, Replacement) for change in self.changes)


class _Fixer:
    """Fixes with one checker; `earlier` is the one that has done so before, and need not be asked again."""

    def __init__(self, checker: Checker, allowed: frozenset[Applicability], earlier: _Fixer | None = None) -> None:
        self.checker = checker
        self.allowed = allowed
        self.checked = 0
        self.at_once = True  # whether fixes of comments are worth trying together: they have not failed yet
        self.applied: list[Finding] = list(earlier.applied) if earlier is not None else []
        self.hopeless: list[Finding] = list(earlier.in_vain) if earlier is not None else []
        self.in_vain: list[Finding] = [*self.hopeless]  # findings whose fixes the last step could not use, or `earlier`

    def fixed(self, now: Checked) -> Checked:
        """The document after all its fixes."""
        while (step := self._step(now)) is not None:
            fixed, now = step
            self.applied += fixed
        return now

    def _step(self, now: Checked) -> tuple[tuple[Finding, ...], Checked] | None:
        """What is gone, and the document afterwards: the first safe fix that does what it should, those of comments all at once.

        Without one, the unsafe fix that puts most right, with the fewest changes: what another would have changed may not be needed then.
        """
        best: tuple[tuple[Finding, ...], Checked] | None = None
        self.in_vain = [*self.hopeless]
        mistakes = self._mistakes(one for one in now.report.findings if one not in self.hopeless)
        comments = [mistake for mistake in mistakes if mistake.is_safe and mistake.is_without_keys]
        if len(comments) > 1 and self.at_once and now.document.is_readable:
            together = self._together(comments, now)
            if together is not None:
                return together
            self.at_once = False
        for mistake in mistakes:
            if self.checked >= _MOST_CHECKED:
                break
            after = self._without(mistake.whole, now)
            if after is None:
                self.in_vain += mistake.findings
            elif mistake.is_safe:
                return mistake.findings, after
            elif best is None or weight(after) < weight(best[1]):
                best = mistake.findings, after
        return best

    def _together(self, mistakes: list[_Mistake], now: Checked) -> tuple[tuple[Finding, ...], Checked] | None:
        """All these findings, and the document without them, and with nothing new; None where their fixes do not do that."""
        findings = tuple(finding for mistake in mistakes for finding in mistake.findings)
        changes = [change for mistake in mistakes for change in mistake.changes]
        try:
            document = changed(now.document, changes)
        except Uneditable:
            return None
        self.checked += 1
        after = Checked(document, self.checker.check(document), (*now.changes, *changes))
        is_good = are_gone(findings, now, after) and not new_mistakes(findings, now, after)
        return (findings, after) if is_good else None

    def _mistakes(self, findings: Iterable[Finding]) -> list[_Mistake]:
        """Those with a fix that may be applied, safe ones first."""
        groups: list[list[Finding]] = []
        fixable = (one for one in findings if one.fix is not None and one.fix.applicability in self.allowed)
        for one in islice(fixable, _MOST_CHECKED):
            for group in groups:
                if (group[0].code, group[0].key, group[0].fix) == (one.code, one.key, one.fix):
                    group.append(one)
                    break
            else:
                groups.append([one])
        return sorted((_Mistake(tuple(group)) for group in groups), key=lambda mistake: not mistake.is_safe)

    def _without(self, finding: Finding, now: Checked) -> Checked | None:
        """The document without this finding, and with nothing new; None where its fix does not do that."""
        settled = (self._settled(finding, now, after, _FURTHER) for after in self._edited(finding, now))
        return next((after for after in settled if after is not None), None)

    def _edited(self, finding: Finding, now: Checked) -> Iterator[Checked]:
        every = self.checker.curriculum(now.document).stages if now.document.is_readable else ()
        for changes in placements(finding, every):
            try:
                document = changed(now.document, changes)
            except Uneditable:
                continue
            if document.source != now.document.source:
                self.checked += 1
                yield Checked(document, self.checker.check(document), (*now.changes, *changes))

    def _settled(self, finding: Finding, before: Checked, after: Checked, further: int) -> Checked | None:
        """The document after a fix; where that has made something else wrong, after that one's fix too."""
        if not are_gone([finding], before, after):
            return None
        new = new_mistakes([finding], before, after)
        if not new:
            return after
        for mistake in self._mistakes(new)[:_ASIDE] if further else ():
            for next_one in self._edited(mistake.whole, after):
                settled = self._settled(finding, before, next_one, further - 1)
                if settled is not None:
                    return settled
        return None
