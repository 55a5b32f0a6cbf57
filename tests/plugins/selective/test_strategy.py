"""The memory strategy `selective`: what it answers, and what a step does with the answers."""

from __future__ import annotations

import pytest
import torch
from small_specs import small_stage

from tttdit.checker.memory.predicting import predict
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.measuring import measure
from tttdit.core.runtime.objective import training_loss
from tttdit.core.runtime.proof.steps import random_input
from tttdit.core.stage import Stage
from tttdit.core.stepping import step_inputs

GROUP = "transformer_checkpoint_layer_group_size"


def selective(*memory: str, layers: int = 5) -> Stage:
    return small_stage(f"model.layers={layers}", "memory.plugin=selective", *(f"memory.{each}" for each in memory))


def test_a_switch_is_on_in_the_layers_that_it_names() -> None:
    stage = selective("attention='0-1, 4'", "mlp=true")
    strategy = stage.assembly.memory.strategy(stage.memory)
    assert [strategy.recomputes(f"layers.{layer}.attention") for layer in range(5)] == [True, True, False, False, True]
    assert all(strategy.recomputes(f"layers.{layer}.mlp") for layer in range(5))
    assert not strategy.recomputes("attention")  # no layer
    assert strategy.tells_layers_apart


def test_groups_have_a_switch_of_their_own() -> None:
    stage = selective("layer_group='2-4'")
    strategy = stage.assembly.memory.strategy(stage.memory)
    assert [strategy.recomputes(f"layers.{layer}.layer_group") for layer in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_without_groups_none_is_recomputed_whatever_their_switch_says() -> None:
    stage = selective(f"{GROUP}=0", "layer_group='2-4'")
    strategy = stage.assembly.memory.strategy(stage.memory)
    assert not any(strategy.recomputes(f"layers.{layer}.layer_group") for layer in range(5))


def test_the_same_in_all_layers_is_what_regions_do() -> None:
    stage = selective("attention=true")
    assert not stage.assembly.memory.strategy(stage.memory).tells_layers_apart
    alike = small_stage("model.layers=5", "memory.attention=true")
    ours, theirs = (predict(each, device="cpu", dtype="float32", runtime="plain") for each in (stage, alike))
    assert (ours.saved_bytes, ours.peak_bytes, ours.flops) == (theirs.saved_bytes, theirs.peak_bytes, theirs.flops)


@pytest.mark.parametrize(
    "memory",
    [
        ("layer_group='0-2'", "attention='3-4'"),
        (f"{GROUP}=0", "seq_modeling_block='0, 2'", "mlp='1'"),
        (f"{GROUP}=2", "layer_group='0-1, 4'", "forward_ssm='2-3'", "reverse_ssm=true"),
    ],
)
def test_a_step_takes_what_is_predicted(memory: tuple[str, ...]) -> None:
    stage = selective(*memory)
    predicted, measured = predict(stage, device="cpu", dtype="float32", runtime="plain"), measure(stage)
    assert (predicted.saved_bytes, predicted.peak_bytes) == (measured.saved_bytes, measured.peak_bytes)
    assert predicted.flops == pytest.approx(measured.flops, rel=0.01)


def test_the_result_is_that_of_a_step_that_keeps_everything() -> None:
    def trained(stage: Stage) -> tuple[torch.Tensor, list[torch.Tensor]]:
        torch.manual_seed(0)
        model = build_stage(stage)
        loss = training_loss(model, *map(random_input, step_inputs(stage, "float32")))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss, [each.grad for each in model.parameters() if each.grad is not None]

    kept = trained(selective(f"{GROUP}=0", layers=3))
    some = trained(selective("layer_group='0'", "attention='1-2'", "forward_ssm='2'", layers=3))
    assert torch.equal(kept[0], some[0])
    assert kept[1]
    assert all(map(torch.equal, kept[1], some[1]))
