"""Samples in files, and a spec that they fit: 13 frames of 16 x 2 x 2 latents, a text of 3 tokens of 8 numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

VIDEO, TEXT = (13, 16, 2, 2), (1, 3, 8)
LATENTS, POSTERIOR = (16, 13, 2, 2), (32, 13, 2, 2)
WANTED = {"video": VIDEO, "text": TEXT}

SPEC = """
name = "small"
video = { seconds = 3, fps = 16, height = 16, width = 16 }
text = { segments = 1, tokens_per_segment = 3, width = 8 }
data = { plugin = "precomputed", manifest = "clips.jsonl", workers = 0 }
training = { steps = 3, warmup_steps = 1 }
parallelism = { unsharded_dtype = "float32" }

[model]
plugin = "ttt-dit"
width = 64
heads = 4
layers = 1
timestep_width = 8
mixer = { plugin = "ttt-linear", mini_batch_size = 8 }
"""


def save(path: Path, seed: int = 0, dtype: torch.dtype = torch.float32, **shapes: tuple[int, ...]) -> None:
    """Random tensors of these shapes, by their names; in a `.pt` file, by what the path ends with."""
    chance = torch.Generator().manual_seed(seed)
    tensors = {name: torch.randn(shape, generator=chance).to(dtype) for name, shape in shapes.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".pt":
        torch.save(tensors, path)
    else:
        save_file(tensors, path)


def write_manifest(folder: Path, *lines: Mapping[str, Any] | str | bytes) -> Path:
    """A manifest of these lines."""
    path = folder / "clips.jsonl"
    path.write_bytes(b"".join(_line(line) + b"\n" for line in lines))
    return path


def write_samples(folder: Path, count: int) -> list[dict[str, str]]:
    """Files of samples that fit, every second one a posterior, and the manifest; its lines."""
    lines = []
    for number in range(count):
        save(folder / f"{number}.safetensors", number, latents=POSTERIOR if number % 2 else LATENTS)
        save(folder / f"{number}-text.safetensors", number, text=TEXT)
        lines.append({"latents": f"{number}.safetensors", "text": f"{number}-text.safetensors"})
    write_manifest(folder, *lines)
    return lines


def _line(line: Mapping[str, Any] | str | bytes) -> bytes:
    text = json.dumps(line) if isinstance(line, Mapping) else line
    return text.encode() if isinstance(text, str) else text
