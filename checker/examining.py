"""Looks at a resolved stage from all sides: its rules, then its model in the symbolic world."""

from __future__ import annotations

from attrs import frozen

from tttdit.checker.following import Followed, follow
from tttdit.checker.judging import judge
from tttdit.checker.resolving import Resolved
from tttdit.core.findings import Finding
from tttdit.core.stage import Stage


@frozen
class Examined:
    """A stage with all that was found in it, and its model as far as that could be followed."""

    resolved: Resolved
    findings: tuple[Finding, ...]  # with their places
    followed: Followed

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return not any(finding.severity == "error" for finding in self.findings)


def examine(resolved: Resolved, before: Stage | None = None) -> Examined:
    """What rules and model say about it. `before` is the stage of the curriculum that comes before."""
    findings, stage = list(resolved.findings), resolved.stage
    if stage is None:
        return Examined(resolved, tuple(findings), Followed())
    locate = resolved.locator.located
    findings += [locate(finding) for finding in judge(resolved.rules, stage, before)]
    followed = follow(stage, [finding for finding in findings if finding.severity == "error"])
    findings += [locate(finding) for finding in followed.findings]
    return Examined(resolved, tuple(findings), followed)
