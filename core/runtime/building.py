"""`tttdit.build_model`: the PyTorch model that a spec describes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor

from tttdit.core.construction import construct
from tttdit.core.errors import Unresolved, UsageError
from tttdit.core.plugin.references import load
from tttdit.core.regions import Regions
from tttdit.core.runtime.flops import register_operators
from tttdit.core.runtime.remat import RecomputedRegions, Strategy
from tttdit.core.stage import Stage


class Stages(Protocol):
    """What a loaded spec has: `tttdit.Spec`."""

    @property
    def name(self) -> str:
        """What the spec is called."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Its stages, resolved."""


def build_model(
    spec: Stages, stage: str | None = None, device: Any = "cpu", dtype: torch.dtype = torch.float32
) -> nn.Module:
    """The model of a spec, initialised for training from scratch; `spec` is what `tttdit.load_spec` returned.

    It is called as `model(video, text, timestep)`: latents [B, F, C, H, W], text embeddings [B, S, T, X], timestep [B] int64 in
    0 ... 999; it returns the prediction [B, F, C, H, W] (`tttdit shapes` lists the sizes of a spec). Regions are recomputed in backward as
    `[memory]` says; parameters that `model.adapter` does not train have `requires_grad=False`. `stage` may be left out where the
    spec has one stage. Parameters are drawn in float32 from torch's generator, so `torch.manual_seed` fixes them, and cast to `dtype`.
    With `device="meta"` nothing is allocated: `model.to_empty(device=...)`, then `model.reset_parameters()` or
    `model.load_state_dict(...)`; or `model.load_state_dict(..., assign=True)`. Under FakeTensorMode its tensors are fake ones.

    Raises UsageError for a stage that the spec does not have, a dtype without fractions, and sizes that do not fit each other, which a
    spec that `tttdit.check` finds right does not have.
    """
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise UsageError(f"dtype is {dtype!r}, and has to be a floating-point type of torch, such as torch.bfloat16")
    return build_stage(chosen(spec, stage), device, dtype)


def chosen(spec: Stages, stage: str | None) -> Stage:
    """The stage of this name, or the only one. Raises UsageError where that is not one, or where there is no loaded spec to look in."""
    if not hasattr(spec, "stages"):
        given = repr(spec) if isinstance(spec, (str, os.PathLike)) else f"of the type {type(spec).__name__}"
        raise UsageError(f"a spec is what tttdit.load_spec(path) returns, and this is {given}")
    named = [each for each in spec.stages if stage is None or each.name == stage]
    if len(named) == 1:
        return named[0]
    names = ", ".join(f'"{each.name}"' for each in spec.stages)
    if stage is None:
        raise UsageError(f'"{spec.name}" has {len(spec.stages)} stages: say which one, stage=... of {names}')
    raise UsageError(f'"{spec.name}" has no stage "{stage}"; it has {names}')


def build_stage(
    stage: Stage,
    device: Any = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    layers: int | None = None,
    regions: Callable[[Strategy], Regions] = RecomputedRegions,
) -> nn.Module:
    """The model of one stage; see `build_model`.

    `layers` builds only that many of those that are all alike; `regions` may also watch the regions that it runs as a strategy says.
    """
    strategy = stage.assembly.memory.strategy(stage.memory)
    try:
        with torch.device(device):
            model: nn.Module = construct(load, stage, regions(strategy), layers=layers)
    except (Unresolved, ValueError) as error:
        why = _hole(stage, error.symbol) if isinstance(error, Unresolved) else str(error)
        raise UsageError(f'stage "{stage.name}" cannot be built: {why}; tttdit-check says what to change') from error
    _cast(model, dtype)
    register_operators(packages(stage))
    trains = stage.assembly.model.trains
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(trains(stage.model, name))
    return model


def packages(stage: Stage) -> frozenset[str]:
    """The top-level packages whose modules a stage's model is made of."""
    modules = (stage.assembly.model.module, stage.assembly.mixer.module)
    return frozenset(module.partition(".")[0] for module in modules if module is not None)


def _hole(stage: Stage, symbol: str) -> str:
    """Which dimension has no value, and the keys of the spec that it follows from."""
    dimension = stage.dims.describe(symbol)
    keys = f"; it follows from {', '.join(dimension.keys)}" if dimension.keys else ""
    return f"{symbol}, {dimension.meaning}, has no value{keys}"


def _cast(model: nn.Module, dtype: torch.dtype) -> None:
    """`model.to(dtype)`, of fake parameters too: those torch would exchange in place, which FakeTensorMode's references to them forbid."""
    if not any(isinstance(parameter, FakeTensor) for parameter in model.parameters()):
        model.to(dtype)
        return
    parameters = [dict(module._parameters) for module in model.modules()]
    cast: dict[Any, Any] = {
        parameter: nn.Parameter(parameter.detach().to(dtype), parameter.requires_grad)
        for parameter in model.parameters()
        if parameter.is_floating_point()
    }
    for module in model.modules():
        module._parameters.clear()
    model.to(dtype)  # buffers, as their modules will have it
    for module, held in zip(model.modules(), parameters, strict=True):
        module._parameters.update({name: cast.get(parameter, parameter) for name, parameter in held.items()})
