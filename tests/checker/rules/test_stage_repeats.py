"""TTD014: a stage like the one before it."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.checker.report import FileReport
from tttdit.core.findings import Finding

A, B = '\n[[stage]]\nname = "a"\n', '[[stage]]\nname = "b"\n'


def told(file: FileReport) -> list[Finding]:
    return [finding for finding in file.findings if finding.code == "TTD014"]


def test_two_names_for_one_stage(check_spec: Callable[..., FileReport]) -> None:
    (finding,) = told(check_spec(added=A + B))
    assert (finding.severity, finding.stage, finding.key) == ("info", "b", "stage[1]")
    assert finding.message == 'the stage "b" is the stage "a" once more: no key has another value'


def test_what_is_inherited_may_be_written_as_well(check_spec: Callable[..., FileReport]) -> None:
    assert len(told(check_spec(added=f"{A}{B}video.seconds = 9\n"))) == 1


def test_a_key_makes_the_difference(check_spec: Callable[..., FileReport]) -> None:
    assert told(check_spec(added=f"{A}{B}optimizer.lr = 1e-5\n")) == []


def test_of_another_stage_than_the_chosen_one_nothing_is_said(check_spec: Callable[..., FileReport]) -> None:
    assert told(check_spec(added=A + B, stage="a")) == []
    assert len(told(check_spec(added=A + B, stage="b"))) == 1
