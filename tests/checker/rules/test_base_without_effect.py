"""TTD013: keys of the base that no stage has."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.checker.report import FileReport
from tttdit.core.findings import Finding, Removal

BASE = "\n[training]\nsteps = 1000\nseed = 7\n"
FIRST = '[[stage]]\nname = "a"\ntraining.steps = 500\n'
SECOND = '[[stage]]\nname = "b"\ntraining = { steps = 250, seed = 8 }\n'


def told(file: FileReport) -> list[Finding]:
    return [finding for finding in file.findings if finding.code == "TTD013"]


def test_a_key_that_every_stage_states(check_spec: Callable[..., FileReport]) -> None:
    (finding,) = told(check_spec(added=BASE + FIRST + SECOND))
    assert (finding.severity, finding.key, finding.stage) == ("info", "training.steps", None)
    assert finding.message == "training.steps has no effect here: all 2 stages state their own"
    assert finding.span is not None
    assert [finding.span.line, *(related.span and related.span.line for related in finding.related)] == [22, 26]
    assert finding.fix is not None
    assert (finding.fix.applicability, finding.fix.edits) == ("shown", (Removal("training.steps"),))


def test_one_stage_that_inherits_is_enough(check_spec: Callable[..., FileReport]) -> None:
    assert told(check_spec(added=BASE + FIRST + '[[stage]]\nname = "c"\n')) == []


def test_a_spec_without_stages_is_its_own_stage(check_spec: Callable[..., FileReport]) -> None:
    assert told(check_spec(added=BASE)) == []


def test_other_stages_count_where_one_is_chosen(check_spec: Callable[..., FileReport]) -> None:
    assert told(check_spec(added=BASE + FIRST + '[[stage]]\nname = "c"\n', stage="a")) == []


def test_what_the_command_line_sets_says_nothing_of_the_file(check_spec: Callable[..., FileReport]) -> None:
    assert told(check_spec(added=BASE + FIRST + '[[stage]]\nname = "c"\n', sets=("training.steps=3",))) == []


def test_a_table_that_starts_anew_has_other_keys(check_spec: Callable[..., FileReport]) -> None:
    """Every stage names another mixer: `neighbours` would be no key of the base's."""
    window = 'model.mixer = { plugin = "sliding-window", neighbours = 0 }\n'
    stages = f'\n[[stage]]\nname = "a"\n{window}[[stage]]\nname = "b"\n{window}'
    assert [finding.key for finding in told(check_spec(added=stages))] == ["model.mixer.plugin"]
