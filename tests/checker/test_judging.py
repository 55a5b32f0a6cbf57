"""Rules that look at parameters, or at two stages: when they are asked, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tttdit.checker.api import load_spec
from tttdit.checker.judging import inspect, judge
from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import BuiltStage, Stage


class Counting(Rule):
    """Tells what it is shown."""

    code, name = "TST001", "counting"

    def follow(self, before: Stage, stage: Stage) -> Iterator[Finding]:
        yield self.finding(f"{stage.name} after {before.name}", key="")

    def inspect(self, built: BuiltStage, before: BuiltStage | None) -> Iterator[Finding]:
        yield self.finding(f"{len(built.parameters)} parameters, before {before and len(before.parameters)}", key="")


class Failing(Rule):
    """Fails at parameters."""

    code, name = "TST002", "failing"

    def inspect(self, built: BuiltStage, before: BuiltStage | None) -> Iterator[Finding]:
        yield self.finding(built.parameters["none of them"][0], key="")  # type: ignore[arg-type]


class Reading(Rule):
    """Reads a dimension that has no value."""

    code, name = "TST003", "reading"

    def inspect(self, built: BuiltStage, before: BuiltStage | None) -> Iterator[Finding]:
        yield self.finding(str(built.stage.dims["T"]), key="")


@pytest.fixture
def stage(make_spec: Callable[..., str]) -> Stage:
    (only,) = load_spec(make_spec()).stages
    return only


def test_a_rule_is_shown_the_stage_and_the_one_before(stage: Stage) -> None:
    built = BuiltStage(stage, {"a": (1,), "b": (2,)}, repeated=None, is_first=True)
    first = BuiltStage(stage, {"a": (1,)}, repeated=None, is_first=True)
    assert [finding.message for finding in inspect([Counting()], built, first)] == ["2 parameters, before 1"]
    assert [finding.message for finding in inspect([Counting()], built, None)] == ["2 parameters, before None"]
    assert list(judge([Counting()], stage)) == []
    assert [finding.message for finding in judge([Counting()], stage, stage)] == ["nine after nine"]


def test_a_rule_that_fails_is_told_of_and_one_without_a_value_is_silent(stage: Stage) -> None:
    stage.dims.spoil("T")
    found = list(inspect([Failing(), Reading()], BuiltStage(stage, {}, repeated=None, is_first=True), None))
    assert [(finding.code, finding.message) for finding in found] == [
        ("TTD009", "the rule TST002 (tests.checker.test_judging) fails: KeyError: 'none of them'")
    ]
