"""Small specs as a user would write them, and models, batches and gradients from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import tttdit

Tables = Mapping[str, Mapping[str, Any]]

# 2 segments of 2 frames and one in front, 2 x 3 tokens a frame, 3 text tokens: 36 tokens, 9 mini-batches of 4, one of them in both segments
TTT_MLP: Tables = {
    "video": {"pixel_frames": 17, "fps": 16, "height": 32, "width": 48},
    "text": {"segments": 2, "tokens_per_segment": 3, "width": 8},
    "codec": {"plugin": "cogvideox-vae", "channels": 4},
    "model": {
        "plugin": "ttt-dit",
        "width": 32,
        "heads": 2,
        "layers": 3,
        "timestep_width": 12,
        "patch_size": 2,
        "attention_frames": 2,
        "prefix_frames": 1,
    },
    "model.mixer": {"plugin": "ttt-mlp", "mini_batch_size": 4},
    "memory": {"transformer_checkpoint_layer_group_size": 0, "scan_checkpoint_group_size": 0},
    "training": {"global_batch_size": 2},
}
TTT_LINEAR: Tables = {**TTT_MLP, "model.mixer": {"plugin": "ttt-linear", "mini_batch_size": 4}}
MIXERS = {"ttt-linear": TTT_LINEAR, "ttt-mlp": TTT_MLP}


def spec_of(path: Path, tables: Tables = TTT_MLP, sets: Iterable[str] = ()) -> tttdit.Spec:
    """Writes the tables to a file and loads it, after `sets` such as "memory.mlp=true" have changed it."""
    lines = ['name = "tiny"']
    for table, keys in tables.items():
        lines += [f"[{table}]", *(f"{key} = {_toml(value)}" for key, value in keys.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tttdit.load_spec(path, sets=sets)


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else repr(value)


def model_of(spec: tttdit.Spec, dtype: torch.dtype = torch.float32) -> nn.Module:
    """The spec's model with numbers everywhere, also where training starts from zeros; the same for every spec of the same sizes."""
    model = tttdit.build_model(spec, dtype=dtype)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            spread = torch.randn(parameter.shape, generator=generator, dtype=torch.float64).to(dtype) * 0.2
            parameter.copy_(parameter.new_full((), 0.2) + spread if parameter.dim() < 2 else spread)
    return model


def batch_of(spec: tttdit.Spec, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """video, text, timestep and noise for the spec's only stage."""
    (stage,) = spec.stages
    generator = torch.Generator().manual_seed(1)

    def numbers(name: str) -> Tensor:
        return torch.randn(tuple(map(int, wanted[name].shape)), generator=generator, dtype=torch.float64).to(dtype)

    wanted = stage.assembly.model.inputs(stage.model, stage.dims)
    video, text, noise = numbers("video"), numbers("text"), numbers("video")
    return video, text, torch.randint(1000, (len(video),), generator=generator), noise


def gradients_of(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter's gradient; zeros where nobody read the parameter."""
    return {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for name, parameter in model.named_parameters()
    }


def trained(model: nn.Module, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """The loss of a batch, and every gradient, by name."""
    model.zero_grad()
    loss = tttdit.training_loss(model, *batch)
    loss.backward()
    return {"loss": loss.detach(), **gradients_of(model)}


def relative(got: Tensor, want: Tensor) -> float:
    """The norm of the difference over the norm of what was wanted; absolute where that is zero."""
    got, want = got.detach().double(), want.detach().double()
    return float((got - want).norm() / (want.norm() or 1.0))
