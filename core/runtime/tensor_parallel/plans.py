"""Plans: which module works in which way on a tensor-parallel rank, as the plugins of a stage announce it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.parallel import ParallelStyle, parallelize_module

from tttdit.core.errors import PluginError
from tttdit.core.plugin.references import load
from tttdit.core.stage import Stage

Plan = Mapping[str, ParallelStyle]
Load = Callable[[str], Any]

# What torch warns of in these, on every rank, is as it should be: that a norm is summed over shards and then over tensor-parallel ranks,
# which spares the communicator of both together, and that gloo has no all-to-all.
_WARNING = ("torch.distributed.tensor._redistribute", "torch.distributed.tensor._collective_utils")


def parallelize(model: nn.Module, stage: Stage, mesh: DeviceMesh, load: Load = load) -> None:
    """Shares out a stage's model over the ranks of a mesh of one dimension, in place, before it is sharded.

    `load` answers `"package.module:name"` with a function of the model's world.

    Raises PluginError for a plugin without a plan, and for a plan that leaves a parameter out.
    """
    for name in _WARNING:
        logging.getLogger(name).setLevel(logging.ERROR)
    parallelize_module(model, mesh, dict(plan_of(stage, load)))
    left = [name for name, each in model.named_parameters() if not isinstance(each, DTensor)]
    if left:
        raise PluginError(
            f"the plans of the {_named('model', stage.assembly.model)} and its mixer say nothing about {left[0]}: "
            "tensor-parallel ranks cannot share it out"
        )


def plan_of(stage: Stage, load: Load = load) -> Plan:
    """The plan of the model with that of its mixer in it. Raises PluginError where either has none."""
    model, mixer = stage.assembly.model, stage.assembly.mixer
    of_mixer = _function("mixer", mixer, load)(stage.mixer, stage.memory) if mixer.module is not None else {}
    plan: Plan = _function("model", model, load)(stage.model, stage.memory, of_mixer)
    return plan


def _function(kind: str, announcement: Any, load: Load) -> Callable[..., Plan]:
    if announcement.parallel is None:
        raise PluginError(
            f"the {_named(kind, announcement)} has no plan for tensor-parallel ranks: tp_sharding has to be 1"
        )
    function: Callable[..., Plan] = load(announcement.parallel)
    return function


def _named(kind: str, announcement: Any) -> str:
    return f'{kind} "{announcement.name}"'
