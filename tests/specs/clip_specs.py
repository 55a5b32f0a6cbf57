"""A spec for small videos, with codec and text encoder that need no weights, and the storyboards of its stages."""

from __future__ import annotations

import json
from pathlib import Path

SPEC = """
name = "clip"
video = { seconds = 3, fps = 4, height = 32, width = 48 }
text = { segments = "auto", tokens_per_segment = 4, width = 8, encoder = "hash" }
codec = { plugin = "dct" }
data = { plugin = "precomputed", manifest = "data/clip/3s/manifest.jsonl", workers = 0 }
training = { steps = 3, warmup_steps = 0, global_batch_size = 1, average_decay = 0.9 }
parallelism = { unsharded_dtype = "float32" }
checkpoint = { interval = 0 }
sampling = { plugin = "ddim", steps = 3 }

[model]
plugin = "ttt-dit"
width = 64
heads = 4
layers = 1
timestep_width = 8
attention_frames = 3
mixer = { plugin = "ttt-linear", mini_batch_size = 4 }

[[stage]]
name = "3s"

[[stage]]
name = "9s"
video.seconds = 9
data.manifest = "data/clip/9s/manifest.jsonl"
"""
ONE = [{"text": "a red fox"}]
THREE = [
    {"text": "a red fox"},
    {"text": "a hare", "requires_scene_transition": True},
    {"text": "both", "neg_text": "blurry"},
]


def write_clip_spec(folder: Path) -> str:
    """The spec in a file; its name."""
    (folder / "clip.toml").write_text(SPEC, "utf-8")
    return "clip.toml"


def write_storyboards(folder: Path, *storyboards: object) -> str:
    """Storyboards in a file; its name."""
    (folder / "prompts.json").write_text(json.dumps(list(storyboards)), "utf-8")
    return "prompts.json"
