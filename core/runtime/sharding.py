"""A model spread over ranks: shared out over tensor-parallel ones, and its state sharded by FSDP2, gathered layer by layer.

The contract is docs/memory.md, "One rank"; `tttdit.core.symbolic.sharding` foretells its memory.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from tttdit.core.runtime.tables import Tables
from tttdit.core.runtime.tensor_parallel.plans import parallelize
from tttdit.core.spec.tables import ParallelismTable
from tttdit.core.stage import Stage


def mesh_of(parallelism: ParallelismTable, device: str) -> DeviceMesh:
    """The ranks: replicas x shards x tensor, without replicas and tensor where these are 1.

    Tensor-parallel ranks are neighbours, then shards, so that they lie in one node where they fit. One rank alone is a mesh too. The
    process group must be there.
    """
    sizes = {"replicas": parallelism.dp_replicate, "shards": parallelism.dp_sharding, "tensor": parallelism.tp_sharding}
    kept = {name: size for name, size in sizes.items() if size > 1 or name == "shards"}
    return init_device_mesh(device, (*kept.values(),), mesh_dim_names=(*kept,))


def shard(model: nn.Module, stage: Stage, mesh: DeviceMesh) -> None:
    """Spreads a stage's model over the ranks of `mesh_of`, in place.

    First over those that compute a sample together, by the plugins' plans; then what each of them has over those with other samples: each
    of the layers, then the rest. Raises PluginError for plugins without a plan where one is needed.

    `model` has float32 parameters, which stay the masters; they are gathered in `parallelism.unsharded_dtype` and their gradients are
    reduced in `parallelism.reduce_dtype`. Buffers stay whole, and those that are no tables take the type of the computation.
    """
    compute = getattr(torch, stage.parallelism.unsharded_dtype)
    _cast_buffers(model, compute)
    precision = MixedPrecisionPolicy(param_dtype=compute, reduce_dtype=getattr(torch, stage.parallelism.reduce_dtype))
    names = mesh.mesh_dim_names or ()
    if "tensor" in names:
        parallelize(model, stage, mesh["tensor"])
        mesh = mesh[tuple(name for name in names if name != "tensor")]
    for layer in layers_of(model, stage):
        fully_shard(layer, mesh=mesh, mp_policy=precision, reshard_after_forward=True)
    fully_shard(model, mesh=mesh, mp_policy=precision)


def layers_of(model: nn.Module, stage: Stage) -> list[nn.Module]:
    """The layers that are all alike: the members of the one list that is as long as the stage's model says."""
    repeated = stage.assembly.model.repeated
    if repeated is None:
        return []
    count = int(stage.assembly.model.arguments(stage.model, stage.dims)[repeated])
    lists = [
        each for each in model.modules() if isinstance(each, nn.ModuleList) and len(each) == count and _alike(each)
    ]
    return list(lists[0]) if len(lists) == 1 else []


def _alike(members: nn.ModuleList) -> bool:
    kinds = {(type(each), tuple((name, p.shape) for name, p in each.named_parameters())) for each in members}
    return len(kinds) == 1


def _cast_buffers(model: nn.Module, dtype: torch.dtype) -> None:
    for module in model.modules():
        if isinstance(module, Tables):
            continue
        for name, buffer in module._buffers.items():
            if buffer is not None and buffer.is_floating_point():
                module._buffers[name] = buffer.to(dtype)
