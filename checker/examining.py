"""Looks at a resolved stage from all sides: its rules, then its model in the symbolic world; and then at the memory that it needs."""

from __future__ import annotations

from attrs import evolve, frozen

from tttdit.checker.following import Followed, follow
from tttdit.checker.judging import inspect, judge, weigh
from tttdit.checker.memory.weighing import Weighing
from tttdit.checker.resolving import Resolved
from tttdit.core.findings import Finding
from tttdit.core.stage import BuiltStage, Stage

_ABOUT_THE_MESH = "TTD6"


@frozen
class Examined:
    """A stage with all that was found in it, and its model as far as that could be followed."""

    resolved: Resolved
    findings: tuple[Finding, ...]  # with their places
    followed: Followed
    built: BuiltStage | None = None  # where its model could be made
    weighing: Weighing | None = None  # where nothing is wrong that would make a prediction of its memory meaningless

    @property
    def own_errors(self) -> tuple[Finding, ...]:
        """The errors that it would have on any machine: those left out are about one that is too small."""
        about_machine = {rule.code for rule in self.resolved.rules if rule.about_machine}
        errors = (finding for finding in self.findings if finding.severity == "error")
        return tuple(error for error in errors if error.code not in about_machine)


def examine(resolved: Resolved, before: Examined | None = None) -> Examined:
    """What rules and model say about it, but for its memory. `before` is the stage of the curriculum that comes before."""
    findings, stage = list(resolved.findings), resolved.stage
    if stage is None:
        return Examined(resolved, tuple(findings), Followed())
    locate = resolved.locator.located
    stage_before = before.resolved.stage if before is not None else None
    judged = judge(resolved.rules, stage, stage_before)
    findings += [locate(finding) for finding in judged if not resolved.locator.rests_on_assumed(finding)]
    errors = [finding for finding in findings if finding.severity == "error"]
    followed = follow(stage, errors) if not resolved.is_open else Followed()
    findings += [locate(finding) for finding in followed.findings if not resolved.locator.rests_on_assumed(finding)]
    built = _built(resolved, stage, followed)
    if built is not None:
        built_before = before.built if before is not None else None
        inspected = inspect(resolved.rules, built, built_before)
        findings += [locate(finding) for finding in inspected if not resolved.locator.rests_on_assumed(finding)]
    return Examined(resolved, tuple(findings), followed, built, _weighing(stage, followed, findings))


def weighed(examined: Examined) -> Examined:
    """The same with what rules find in the memory that it needs, where that can be predicted."""
    if examined.weighing is None:
        return examined
    locator = examined.resolved.locator
    found = weigh(examined.resolved.rules, examined.weighing)
    located = (locator.located(finding) for finding in found if not locator.rests_on_assumed(finding))
    return evolve(examined, findings=(*examined.findings, *located))


def _weighing(stage: Stage, followed: Followed, findings: list[Finding]) -> Weighing | None:
    """What predicts its memory. Shapes have to be proved from end to end, and a mesh that cannot be has no rank to speak of."""
    is_no_mesh = any(finding.severity == "error" and finding.code.startswith(_ABOUT_THE_MESH) for finding in findings)
    return Weighing(stage) if followed.proved and not is_no_mesh else None


def _built(resolved: Resolved, stage: Stage, followed: Followed) -> BuiltStage | None:
    if not followed.parameters:
        return None
    model = stage.assembly.model
    repeated = None if model.repeated is None else model.arguments(stage.model, stage.dims)[model.repeated]
    return BuiltStage(stage, followed.parameters, repeated, is_first=resolved.spec.index in (None, 0))
