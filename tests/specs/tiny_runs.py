"""A spec that trains in a second, and what its runs leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tttdit.core.running.checkpoints import newest
from tttdit.core.running.lines import read_lines
from tttdit.core.runtime.weights.distributed import distributed_checkpoint

SPEC = """
name = "tiny"
video = { seconds = 3, fps = 16, height = 32, width = 32 }
text = { segments = "auto", tokens_per_segment = 4, width = 8 }
data = { plugin = "synthetic", samples = 7 }
training = { steps = 6, warmup_steps = 2, gradient_clipping_norm = 1.0 }
optimizer = { lr = 1e-3, lr_mixer = 2e-3 }
parallelism = { unsharded_dtype = "float32" }
checkpoint = { interval = 2 }

[model]
plugin = "ttt-dit"
width = 64
heads = 4
layers = 1
timestep_width = 8
mixer = { plugin = "ttt-linear", mini_batch_size = 8 }
"""
TWO_STAGES = """
[[stage]]
name = "first"

[[stage]]
name = "second"
video.seconds = 9
model.adapter = "qkvo"
training.steps = 3
"""


def write_spec(folder: Path, more: str = "") -> str:
    """The spec in a file, with tables behind it; its name."""
    (folder / "tiny.toml").write_text(SPEC + more, "utf-8")
    return "tiny.toml"


def losses(run: Path, stage: str = "tiny") -> list[float]:
    """The loss of each step, those last that were made last where a run was resumed."""
    found: dict[int, float] = {}
    for line in read_lines(run / "metrics.jsonl"):
        if line["stage"] == stage and "loss" in line:
            found[line["step"]] = line["loss"]
    return [found[step] for step in sorted(found)]


def events(run: Path) -> list[str]:
    """What happened, by name."""
    return [line["event"] for line in read_lines(run / "events.jsonl")]


def tensors(run: Path, stage: str = "tiny") -> dict[str, torch.Tensor]:
    """Everything in the last checkpoint of a stage."""
    path = newest(run / "checkpoints" / stage)
    assert path is not None
    source = distributed_checkpoint(path)
    return {name: source.read(name) for name in source.tensors}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two sets of tensors are the same, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
