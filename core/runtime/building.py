"""`tttdit.build_model`: the PyTorch model that a spec describes."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn

from tttdit.core.construction import construct
from tttdit.core.errors import UsageError
from tttdit.core.plugin.references import load
from tttdit.core.runtime.remat import RecomputedRegions
from tttdit.core.stage import Stage


class Stages(Protocol):
    """What a loaded spec has: `tttdit.Spec`."""

    name: str
    stages: tuple[Stage, ...]


def build_model(
    spec: Stages, stage: str | None = None, device: Any = "cpu", dtype: torch.dtype = torch.float32
) -> nn.Module:
    """The model of a spec, initialised for training from scratch; `spec` is what `tttdit.load_spec` returned.

    It is called as `model(video, text, timestep)`: latents [B, F, C, H, W], text embeddings [B, S, T, X], timestep [B] int64 in
    0 ... 999; it returns the prediction [B, F, C, H, W] (`tttdit shapes` lists the sizes of a spec). Regions are recomputed in backward as
    `[memory]` says; parameters that `model.adapter` does not train have `requires_grad=False`. `stage` may be left out where the
    spec has one stage. With `device="meta"` nothing is allocated: `model.to_empty(device=...)`, then `model.reset_parameters()` or
    `model.load_state_dict(...)`.

    Raises UsageError for a stage that the spec does not have; and what the modules raise for sizes that do not fit, which a spec that
    `tttdit.check` finds right does not have.
    """
    return build_stage(chosen(spec, stage), device, dtype)


def chosen(spec: Stages, stage: str | None) -> Stage:
    """The stage of this name, or the only one. Raises UsageError where that is not one."""
    named = [each for each in spec.stages if stage is None or each.name == stage]
    if len(named) == 1:
        return named[0]
    names = ", ".join(f'"{each.name}"' for each in spec.stages)
    if stage is None:
        raise UsageError(f'"{spec.name}" has {len(spec.stages)} stages: say which one, stage=... of {names}')
    raise UsageError(f'"{spec.name}" has no stage "{stage}"; it has {names}')


def build_stage(
    stage: Stage, device: Any = "cpu", dtype: torch.dtype = torch.float32, *, layers: int | None = None
) -> nn.Module:
    """The model of one stage; see `build_model`. `layers` builds only that many of those that are all alike."""
    regions = RecomputedRegions(stage.assembly.memory.strategy(stage.memory))
    with torch.device(device):
        model: nn.Module = construct(load, stage, regions, layers=layers)
    model.to(dtype)
    trains = stage.assembly.model.trains
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(trains(stage.model, name))
    return model
