"""Which regions wait for their own replay when the peak stands: what the rules spare predictions with has to be what they would say."""

from __future__ import annotations

from itertools import product

import pytest
from small_specs import TWO_LAYERS

from tttdit.checker.api import load_spec
from tttdit.checker.memory.predicting import predict, with_memory
from tttdit.checker.memory.waiting import nested_switches
from tttdit.core.stage import Stage

GROUPS = "transformer_checkpoint_layer_group_size"
SWITCHES = ("attention", "forward_ssm", "mlp", "seq_modeling_block")
SETS = (
    "video.height=64",
    "video.width=96",
    "text.tokens_per_segment=72",
    "model.timestep_width=32",
    "model.mixer.plugin=ttt-mlp",
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    path = tmp_path_factory.mktemp("waiting") / "spec.toml"
    path.write_text(TWO_LAYERS, encoding="utf-8")
    (only,) = load_spec(path, sets=SETS).stages
    return only


def test_switches_inside_a_region_that_is_recomputed(stage: Stage) -> None:
    both = with_memory(stage, {GROUPS: 0, "attention": True, "mlp": True, "seq_modeling_block": True})
    assert {key: [one.key for one in around] for key, around in nested_switches(both).items()} == {
        "attention": ["seq_modeling_block"]
    }
    grouped = with_memory(both, {GROUPS: 1})
    assert set(nested_switches(grouped)) == {"attention", "mlp", "seq_modeling_block"}
    assert [one.key for one in nested_switches(grouped)["mlp"]] == [GROUPS]


@pytest.mark.parametrize(
    ("size", "values"), [*product((1, 2), [(True,) * 4, (True, True, True, False), (True, False, True, False)])]
)
def test_without_a_region_that_waits_the_peak_is_higher(stage: Stage, size: int, values: tuple[bool, ...]) -> None:
    """The law that lets a rule go without a prediction."""
    chosen = with_memory(stage, {GROUPS: size, **dict(zip(SWITCHES, values, strict=True))})
    now = predict(chosen, device="cuda", dtype="float32", runtime="plain")
    for key in now.waiting:
        if any(outer.key in now.waiting for outer in nested_switches(chosen)[key]):
            continue
        without = predict(with_memory(chosen, {key: False}), device="cuda", dtype="float32", runtime="plain")
        assert without.peak_bytes > now.peak_bytes, key


def test_nothing_waits_where_nothing_is_nested(stage: Stage) -> None:
    alone = with_memory(stage, {GROUPS: 0, "attention": True})
    assert predict(alone, device="cuda", dtype="float32", runtime="plain").waiting == frozenset()
