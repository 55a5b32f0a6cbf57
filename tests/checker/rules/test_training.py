"""Rules about what is trained, and with what: TTD704, TTD705, TTD707, TTD708, TTD709."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.adapters import choice, told
from tttdit.checker.api import check
from tttdit.checker.report import FileReport
from tttdit.core.findings import Finding
from tttdit.core.stage import BuiltStage, Stage

Check = Callable[..., FileReport]

STAGES = """
[training]
steps = 1000

[[stage]]
name = "first"

[[stage]]
name = "second"
model.adapter = "qkvo"
optimizer.lr = 1e-5
"""


def only(file: FileReport) -> Finding:
    (finding,) = file.findings
    return finding


@pytest.mark.parametrize("table", ["training.steps=1000", "optimizer.lr=1e-5"])
def test_nothing_is_trained_and_the_spec_says_how(check_spec: Check, table: str) -> None:
    finding = only(check_spec(sets=(table, "model.adapter=none")))
    name = table.partition(".")[0]
    assert (finding.code, finding.severity, finding.key) == ("TTD704", "warning", "model.adapter")
    assert (
        finding.message == 'model.adapter = "none" trains no parameter of the model, and the spec says how to train it'
    )
    assert finding.help == f"write another model.adapter to train, or leave [{name}] out to sample"


def test_a_spec_for_sampling_trains_nothing(check_spec: Check) -> None:
    sampling = '[sampling]\nplugin = "dpmpp-2m-sde"\n'
    assert check_spec(added=sampling, sets=("model.adapter=none",)).findings == ()


def test_a_step_without_trained_parameters_fails() -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(2, 2).requires_grad_(False)
    with pytest.raises(RuntimeError, match="does not require grad"):
        model(torch.ones(2)).sum().backward()


# -- TTD705


def test_frozen_weights_that_nobody_has_trained(check_spec: Check) -> None:
    finding = only(check_spec(sets=("training.steps=1000", "model.adapter=qkvo")))
    assert (finding.code, finding.severity, finding.key) == ("TTD705", "warning", "model.adapter")
    assert finding.message == (
        'model.adapter = "qkvo" leaves a part of the model as it starts, which is random: checkpoint.init_from names no weights'
    )


@pytest.mark.parametrize(
    "sets",
    [
        ("training.steps=1000", "model.adapter=qkvo", "checkpoint.init_from=weights.safetensors"),
        ("training.steps=1000", "model.adapter=sft"),
        ("model.adapter=qkvo",),  # nothing is said of training
    ],
)
def test_frozen_weights_that_are_no_trouble(check_spec: Check, sets: tuple[str, ...]) -> None:
    assert check_spec(sets=sets).findings == ()


def test_a_later_stage_goes_on_from_the_one_before(check_spec: Check) -> None:
    assert check_spec(added=STAGES).findings == ()
    assert check_spec(added=STAGES, stage="second").findings == ()


def test_the_first_stage_of_a_curriculum_does_not(check_spec: Check) -> None:
    finding = only(check_spec(added=STAGES.replace('"first"', '"first"\nmodel.adapter = "qkvo"')))
    assert (finding.code, finding.stage) == ("TTD705", "first")


def test_the_key_is_the_one_that_the_plugin_looks_at(make_spec: Callable[..., str]) -> None:
    """A third party's model has another word for it, or none."""
    from attrs import evolve

    from tttdit.checker.api import load_spec

    (stage,) = load_spec(make_spec()).stages

    def built(trains: Callable[..., bool]) -> BuiltStage:
        model = evolve(stage.assembly.model, trains=trains)
        changed: Stage = evolve(stage, assembly=evolve(stage.assembly, model=model))
        return BuiltStage(changed, {"a": (1,), "b": (2,)}, None, is_first=True)

    by_layers = built(lambda table, name: table.layers > 3 or name == "b")
    assert (choice(by_layers), told(by_layers)) == ("model.layers", "model.layers = 42")
    never = built(lambda table, name: False)
    assert (choice(never), told(never)) == ("model", "model")


# -- TTD707, TTD708


def test_checkpoints_on_the_way(check_spec: Check) -> None:
    for interval in (0, 250, 500):
        assert check_spec(sets=("training.steps=500", f"checkpoint.interval={interval}")).findings == ()
    finding = only(check_spec(sets=("training.steps=500", "checkpoint.interval=501")))
    assert finding.code == "TTD707"
    assert finding.message == "a checkpoint every 501 steps is none before the end of a stage of 500"
    assert finding.help == "write checkpoint.interval = 250 or less, or 0 if the end is enough"


def test_checkpoints_to_keep(check_spec: Check) -> None:
    assert check_spec(sets=("checkpoint.keep=2", "checkpoint.interval=100")).findings == ()
    for sets in (("checkpoint.keep=2",), ("checkpoint.keep=2", "checkpoint.interval=0")):
        assert only(check_spec(sets=sets)).code == "TTD708"


# -- TTD709


def test_texts_that_are_never_seen(check_spec: Check) -> None:
    assert check_spec(sets=("training.text_dropout=0.99",)).findings == ()
    finding = only(check_spec(added="[training]\ntext_dropout = 1\n"))
    assert (finding.code, finding.help) == ("TTD709", "write training.text_dropout = 0.1")


# -- all of it


def test_the_curriculum_of_the_examples_has_nothing_wrong() -> None:
    assert check(Path(__file__).parents[3] / "examples" / "curriculum.toml").findings == ()
