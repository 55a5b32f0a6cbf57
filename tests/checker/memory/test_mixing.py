"""Mixtures are put together from layers of other steps: held against predictions of whole steps."""

from __future__ import annotations

import itertools
import random

import pytest
from attrs import evolve
from small_specs import small_stage

from tttdit.checker.memory.known import predicted
from tttdit.checker.memory.predicting import predict, with_memory
from tttdit.checker.memory.prediction import Runtime
from tttdit.checker.memory.settings import Outlook, Setting, settings
from tttdit.checker.memory.surveying import Survey, survey
from tttdit.checker.planning import plan
from tttdit.core.plugin.layers import layers_text
from tttdit.core.stage import Stage

GROUP, SCAN = "transformer_checkpoint_layer_group_size", "scan_checkpoint_group_size"
# What all layers share, and the first that needs it keeps: of the timestep's embedding some copies.
SHARED_BYTES = 2048


def stage_of(layers: int, *sets: str) -> Stage:
    return small_stage(f"model.layers={layers}", "memory.plugin=selective", *sets)


def some_settings(stage: Stage, *switches: str) -> tuple[Setting, ...]:
    """The settings in which only these switches may be on, in groups of one or none."""
    return tuple(
        one
        for one in settings(stage)
        if one.values[SCAN] == 16
        and one.values[GROUP] in (0, 1)
        and not any(value is True for key, value in one.values.items() if key not in (*switches, "layer_group"))
    )


def surveyed(stage: Stage, space: tuple[Setting, ...], device: str = "cuda", runtime: Runtime = "fsdp2") -> Survey:
    return survey(stage, space, device=device, runtime=runtime)


def mixtures(found: Survey) -> list[Outlook]:
    return [one for one in found.outlooks if any(isinstance(value, str) for value in one.setting.values.values())]


@pytest.mark.parametrize(("device", "runtime"), [("cpu", "plain"), ("cuda", "fsdp2")])
def test_a_mixture_needs_what_its_own_prediction_says(device: str, runtime: Runtime) -> None:
    stage = stage_of(7)
    found = mixtures(surveyed(stage, some_settings(stage, "attention", "mlp"), device, runtime))
    assert len(found) > 5
    for outlook in random.Random(runtime).sample(found, 5):
        of_setting = with_memory(stage, outlook.setting.values)
        alone = predict(of_setting, device=device, dtype=stage.parallelism.unsharded_dtype, runtime=runtime)
        for name in ("saved_bytes", "peak_bytes", "total_bytes"):
            assert abs(getattr(outlook, name) - getattr(alone, name)) <= SHARED_BYTES, (name, outlook.setting)
        assert (outlook.flops, outlook.recompute_flops) == (alone.flops, alone.recompute_flops)


def test_on_tensor_parallel_ranks_that_send_what_a_group_takes() -> None:
    stage = stage_of(7, "parallelism.tp_sharding=2", "memory.shard_transformer_inputs=true")
    found = mixtures(surveyed(stage, some_settings(stage, "attention", "mlp")))
    assert len(found) > 5
    for outlook in random.Random(7).sample(found, 5):
        of_setting = with_memory(stage, outlook.setting.values)
        alone = predict(of_setting, device="cuda", dtype=stage.parallelism.unsharded_dtype, runtime="fsdp2")
        assert abs(outlook.total_bytes - alone.total_bytes) <= SHARED_BYTES, outlook.setting


def test_the_search_knows_every_mixture() -> None:
    """All mixtures of four layers, each predicted whole: none is better than what the search has kept."""
    stage = stage_of(4)
    space = some_settings(stage, "attention")
    found = surveyed(stage, space)
    assert len(space) == 4
    assert found.searched == len(space) + 4 * 3 * 3
    every = [
        predicted(with_memory(stage, mixture(first, second, cut)), device="cuda", runtime="fsdp2")
        for (first, second), cut in itertools.product(itertools.permutations(space, 2), (1, 2, 3))
    ]
    assert len({(one.total_bytes, one.recompute_flops) for one in every}) > 20
    for one in every:
        assert any(
            kept.total_bytes <= one.total_bytes + SHARED_BYTES and kept.recompute_flops <= one.recompute_flops
            for kept in found.front
        )


def mixture(first: Setting, second: Setting, cut: int) -> dict[str, bool | int | str]:
    """The first `cut` of four layers one way, the others another."""
    start, rest = layers_text(0, cut - 1), layers_text(cut, 3)

    def of(one: object, other: object) -> bool | str:
        return bool(one) if bool(one) == bool(other) else start if one else rest

    return {
        **first.values,
        GROUP: 1,
        "layer_group": of(first.values[GROUP], second.values[GROUP]),
        "attention": of(first.values["attention"], second.values["attention"]),
    }


def test_a_mixture_uses_what_a_setting_of_all_layers_leaves_over() -> None:
    """With a budget between two settings of all layers the plan is a mixture, which recomputes less than the smaller of the two."""
    stage = stage_of(8)
    found = surveyed(stage, some_settings(stage, "attention", "mlp"))
    alike = sorted((one for one in found.outlooks if one not in mixtures(found)), key=lambda one: one.total_bytes)
    (small, large) = alike[0], alike[-1]
    budget = (small.total_bytes + large.total_bytes) // 2 + found.prediction.outside_bytes
    best = plan(evolve(found, budget_bytes=budget)).chosen
    of_all = plan(evolve(found, budget_bytes=budget, outlooks=tuple(alike))).chosen
    assert best is not None
    assert of_all is not None
    assert best.recompute_flops < of_all.recompute_flops
    assert any(isinstance(value, str) for value in best.setting.values.values())
    assert best.reserved_bytes is not None  # it has been predicted whole
    assert best.reserved_bytes + found.prediction.outside_bytes <= budget


def test_a_strategy_that_knows_no_layers_is_not_mixed() -> None:
    stage = small_stage("model.layers=4")
    space = tuple(one for one in settings(stage) if one.values[SCAN] == 16 and one.values[GROUP] in (0, 1))
    found = survey(stage, space, device="cpu", runtime="plain")
    assert found.searched == len(found.outlooks) == len(space)
