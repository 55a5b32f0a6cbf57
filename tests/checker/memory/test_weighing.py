"""What rules weigh: predictions made when they are asked for, and what becomes of one that cannot be made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tttdit.checker.api import check, load_spec
from tttdit.checker.judging import weigh
from tttdit.checker.memory import predicting
from tttdit.checker.memory.known import _predicted
from tttdit.checker.memory.weighing import Weighing
from tttdit.core.errors import Unpredicted, UsageError
from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.weighing import Weighed

SMALL = ('preset = "debug"', "height = 64", "width = 96")
THREE_SECONDS = ("seconds = 3", "segments = 1", "tokens_per_segment = 72")
NINE_SECONDS = ("tokens_per_segment = 24",)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Stage]]:
    """The stages whose memory is predicted from here on, nothing being known before."""
    monkeypatch.setenv("TTTDIT_CACHE", "")
    seen, predict = list[Stage](), predicting.predict

    def noted(stage: Stage, **manner: str) -> object:
        seen.append(stage)
        return predict(stage, **manner)

    monkeypatch.setattr(predicting, "predict", noted)
    _predicted.cache_clear()
    yield seen
    _predicted.cache_clear()


@pytest.fixture
def small(make_spec: Callable[..., str]) -> str:
    """The path of a small spec without hardware."""
    return make_spec(*SMALL, *THREE_SECONDS)


def stage_of(path: str) -> Stage:
    (stage,) = load_spec(path).stages
    return stage


class Weighs(Rule):
    """Asks for one other setting."""

    code, name = "TST001", "weighs"

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        less = weighed.prediction.peak_bytes - weighed.outlook(attention=True).peak_bytes
        yield self.finding(f"{less > 0}", key="memory.attention")


class Fails(Rule):
    """Fails at a prediction."""

    code, name = "TST002", "fails"

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        raise KeyError(weighed.stage.name)


class Unsure:
    """A stage whose memory cannot be predicted."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @property
    def prediction(self) -> None:
        raise Unpredicted("nobody knows")


def test_a_rule_compares_settings(small: str) -> None:
    assert [one.message for one in weigh([Weighs()], Weighing(stage_of(small)))] == ["True"]


def test_a_rule_is_silent_about_what_cannot_be_predicted_and_told_of_where_it_fails(small: str) -> None:
    found = list(weigh([Weighs(), Fails()], Unsure(stage_of(small))))  # type: ignore[arg-type]
    assert [(one.code, one.message.partition(": ")[2]) for one in found] == [("TTD009", "KeyError: 'nine'")]


def test_nothing_is_predicted_that_nobody_asks_for(small: str, made: list[Stage]) -> None:
    report = check(small)
    assert report.ok
    assert made == []
    report.to_json()
    assert len(made) == 1


def test_what_is_asked_for_once_more_is_known(small: str, made: list[Stage]) -> None:
    first, second = Weighing(stage_of(small)), Weighing(stage_of(small))
    assert first.prediction == second.prediction == second.outlook(attention=False)
    assert len(made) == 1
    assert second.outlook(attention=True) != first.prediction
    assert len(made) == 2


def test_another_length_is_another_prediction(small: str, make_spec: Callable[..., str], made: list[Stage]) -> None:
    before = Weighing(stage_of(small)).prediction
    after = Weighing(stage_of(make_spec(*SMALL, *NINE_SECONDS))).prediction
    assert before.peak_bytes < after.peak_bytes
    assert len(made) == 2


def test_a_key_that_the_table_does_not_have_is_said(small: str) -> None:
    with pytest.raises(UsageError, match=r"\[memory\] has no key atention"):
        Weighing(stage_of(small)).outlook(atention=True)


def test_the_json_has_the_prediction(small: str) -> None:
    (stage,) = json.loads(check(small).to_json())["files"][0]["stages"]
    memory = stage["memory"]
    assert {
        "saved_bytes",
        "peak_bytes",
        "peak_at",
        "total_bytes",
        "reserved_bytes",
        "outside_bytes",
        "host_bytes",
    } <= set(memory)
    assert {"flops", "recompute_flops", "communication", "fits"} <= set(memory)
    assert sum(memory["parts"].values()) == memory["total_bytes"] <= memory["reserved_bytes"]
    assert memory["fits"] is None
    assert "unpredicted" not in stage


def test_of_a_stage_with_errors_the_json_says_why_not(make_spec: Callable[..., str]) -> None:
    (stage,) = check(make_spec("seconds = 10")).as_dict()["files"][0]["stages"]
    assert stage["memory"] is None
    assert stage["unpredicted"] == "the stage has errors"


def test_of_a_mesh_that_cannot_be_there_is_no_rank_to_speak_of(make_spec: Callable[..., str]) -> None:
    path = make_spec(added="\n[parallelism]\ndp_sharding = 16\n\n[hardware]\ngpus_per_node = 8\nnodes = 1\n")
    (stage,) = check(path).as_dict()["files"][0]["stages"]
    assert (stage["ok"], stage["memory"]) == (False, None)


def test_a_stage_of_tensor_parallel_ranks_is_weighed(make_spec: Callable[..., str]) -> None:
    path = make_spec(*SMALL, *THREE_SECONDS, added="\n[parallelism]\ntp_sharding = 2\n")
    (stage,) = check(path).files[0].stages
    assert stage.unpredicted == ""
    assert stage.memory is not None
    assert "tensor" in {one.dimension for one in stage.memory.communication}


@pytest.mark.parametrize(
    "table", ["", "[training]\nsteps = 9\n", "[optimizer]\nlr = 1e-5\n", '[data]\nplugin = "synthetic"\n']
)
def test_a_spec_that_is_for_sampling_only_has_no_training_step(make_spec: Callable[..., str], table: str) -> None:
    path = make_spec(*SMALL, *THREE_SECONDS, added=f'\n[sampling]\nplugin = "dpmpp-2m-sde"\n{table}')
    (stage,) = check(path).files[0].stages
    assert stage.ok
    assert (stage.memory is None) == (table == "")
    reason = "" if table else "the stage is for sampling, and memory is predicted of training steps only"
    assert stage.unpredicted == reason


def test_what_could_not_be_predicted_is_not_tried_again_by_the_next_who_asks(
    small: str, made: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(stage: Stage, **_: str) -> object:
        made.append(stage)
        raise Unpredicted("nobody knows")

    monkeypatch.setattr(predicting, "predict", predict)
    weighing = Weighing(stage_of(small))
    for _ in range(2):
        with pytest.raises(Unpredicted, match="nobody knows"):
            weighing.prediction  # noqa: B018
    assert weighing.unpredicted == "nobody knows"
    assert len(made) == 1


def test_why_there_is_no_prediction_is_said(small: str, made: list[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    def predict(stage: Stage, **_: str) -> object:
        raise ZeroDivisionError("in a plugin")

    monkeypatch.setattr(predicting, "predict", predict)
    (stage,) = check(small).files[0].stages
    assert stage.memory is None
    assert stage.unpredicted == "ZeroDivisionError: in a plugin"
