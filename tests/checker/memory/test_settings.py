"""The space of settings: made of what plugins declare, each meaning once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from tttdit import load_spec
from tttdit.checker.memory.predicting import with_memory
from tttdit.checker.memory.settings import own_setting, regions_of, settings
from tttdit.core.stage import Stage

LAYERS, SCAN = "transformer_checkpoint_layer_group_size", "scan_checkpoint_group_size"
SWITCHES = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")


@pytest.fixture
def stage_of(make_spec: Callable[..., str]) -> Callable[..., Stage]:
    """The stage of nine seconds with a mixer, and what is added to the spec."""

    def made(mixer: str = "ttt-mlp", added: str = "") -> Stage:
        (stage,) = load_spec(make_spec(added=added), sets=[f"model.mixer.plugin={mixer}"]).stages
        return stage

    return made


def test_all_switches_layer_groups_that_come_out_even_and_scan_groups_in_powers_of_two(stage_of: Any) -> None:
    """5 switches; 0 and the 8 divisors of 42 layers; 1 ... 512 of 804 mini-batches and 0, which is all of them."""
    every = settings(stage_of())
    assert len(every) == 2**5 * 9 * 11 == 3168
    assert {one.values[LAYERS] for one in every} == {0, 1, 2, 3, 6, 7, 14, 21, 42}
    assert {one.values[SCAN] for one in every} == {0, *(2**power for power in range(10))}
    assert set(every[0].values) == {LAYERS, SCAN, *SWITCHES}
    assert len({tuple(one.values.items()) for one in every}) == 3168
    assert not any(every[0].values.values()), "the first recomputes nothing"


def test_another_mixer_has_other_keys(stage_of: Any) -> None:
    assert len(settings(stage_of("none"))) == 2**5 * 9
    every = settings(stage_of("sliding-window"))
    assert len(every) == 2**6 * 9
    assert "sliding_window" in every[0].values


def test_a_power_of_two_that_is_all_of_them_is_what_0_says(stage_of: Any) -> None:
    stage = stage_of(added="mini_batch_size = 12864\n")
    assert int(stage.dims["n"]) == 4
    assert {one.values[SCAN] for one in settings(stage)} == {0, 1, 2}


def test_a_size_of_which_nobody_says_what_it_groups_stays(stage_of: Any) -> None:
    stage = stage_of()
    silent = tuple(evolve(region, count="") if region.key == SCAN else region for region in regions_of(stage))
    table = type(stage.memory.__class__.__name__, (type(stage.memory),), {"declared": silent, "__annotations__": {}})
    stage = evolve(stage, memory=table.model_validate(stage.memory.model_dump()))
    assert {one.values[SCAN] for one in settings(stage)} == {16}


def test_fixed_keys_have_one_value_be_it_of_the_space_or_not(stage_of: Any) -> None:
    every = settings(stage_of(), {SCAN: 24, "mlp": True})
    assert len(every) == 2**4 * 9
    assert {(one.values[SCAN], one.values["mlp"]) for one in every} == {(24, True)}


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ({LAYERS: 100}, {LAYERS: 42}),
        ({SCAN: 804}, {SCAN: 0}),
        ({SCAN: 100_000, "mlp": True}, {SCAN: 0, "mlp": True}),
        ({LAYERS: 4, SCAN: 24}, {LAYERS: 4, SCAN: 24}),
    ],
)
def test_the_spec_s_own_setting_in_the_words_of_the_space(
    stated: dict[str, Any], found: dict[str, Any], stage_of: Any
) -> None:
    stage = stage_of()
    assert own_setting(with_memory(stage, stated)).values == {**own_setting(stage).values, **found}
    assert own_setting(stage) in settings(stage)
