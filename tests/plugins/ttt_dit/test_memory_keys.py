"""TTD504 and TTD505: keys of `[memory]` that have no effect; and that they have none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_specs import TTT_MLP, batch_of, model_of, spec_of

import tttdit
from tttdit.core.findings import Finding
from tttdit.core.runtime.live_bytes import LiveBytes

Find = Callable[..., list[Finding]]


def test_nothing_to_shard_inputs_over(findings_of: Find) -> None:
    sharded = {"shard_transformer_inputs": True}
    (finding,) = findings_of(memory=sharded)
    assert (finding.code, finding.severity, finding.key) == ("TTD504", "warning", "memory.shard_transformer_inputs")
    assert finding.message == (
        "memory.shard_transformer_inputs = true has no effect: with parallelism.tp_sharding = 1 there are no ranks to shard over"
    )
    assert finding.fix is not None
    assert finding.fix.applicability == "safe"
    assert findings_of(memory=sharded, parallelism={"tp_sharding": 2}) == []


def test_one_region_by_two_names(findings_of: Find) -> None:
    both = {"attention": True, "seq_modeling_block": True}
    (finding,) = findings_of(mixer={"plugin": "none"}, memory=both)
    assert (finding.code, finding.severity, finding.key) == ("TTD505", "warning", "memory.attention")
    assert finding.message == (
        'memory.attention = true has no effect: with the mixer "none" the sequence block is the attention alone, and recomputed anyway'
    )
    assert findings_of(memory=both) == []
    for one in both:
        assert findings_of(mixer={"plugin": "none"}, memory={one: True}) == []


@pytest.mark.parametrize("layer_group", [0, 1])
def test_without_a_mixer_they_are_one_region(layer_group: int, tmp_path: Path) -> None:
    """Bytes after every operator, and FLOPs, of a step with either key and with both."""
    tables = {**TTT_MLP, "model.mixer": {"plugin": "none"}}
    tables["memory"] = {"transformer_checkpoint_layer_group_size": layer_group}

    def step(*keys: str) -> tuple[int, int, int]:
        spec = spec_of(tmp_path / "spec.toml", tables, [f"memory.{key}=true" for key in keys])
        model, batch = model_of(spec), batch_of(spec)
        with LiveBytes([*model.parameters(), *model.buffers(), *batch]) as rod:
            loss = tttdit.training_loss(model, *batch)
            saved = rod.now
            loss.backward()
        return saved, rod.peak, sum(operator.flops for operator in rod.log)

    assert step("attention", "seq_modeling_block") == step("seq_modeling_block") == step("attention")
    assert step("seq_modeling_block") != step()
