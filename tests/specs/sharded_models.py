"""A small model and its training state, spread over the ranks as training spreads one, with values that its step alone decides."""

from __future__ import annotations

import torch
import torch.distributed as distributed
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

from tttdit.core.runtime.whole import fill

State = dict[str, dict[str, Tensor]]


def whole(step: int, width: int = 6) -> State:
    """The state behind so many steps, as one process has it; `width` is that of the first layer's output."""
    shapes = {"0.weight": (width, 3), "0.bias": (width,), "1.weight": (5, width)}
    chance = torch.Generator().manual_seed(step)
    return {
        "model": {name: torch.randn(shape, generator=chance) for name, shape in shapes.items()},
        "optimizer": {
            f"{moment}.{name}": torch.randn(shape, generator=chance)
            for moment in ("exp_avg", "exp_avg_sq")
            for name, shape in shapes.items()
        },
    }


def spread(step: int, mesh: tuple[int, ...], width: int = 6) -> State:
    """The same, spread as training does: over shards; over replicas and shards; or over replicas, shards and tensor-parallel ranks."""
    model = nn.Sequential(nn.Linear(3, width), nn.Linear(width, 5, bias=False))
    names = ("replicas", "shards", "tensor") if len(mesh) == 3 else ("replicas", "shards")[-len(mesh) :]
    ranks = init_device_mesh("cpu", mesh, mesh_dim_names=names)
    if "tensor" in names:
        parallelize_module(model, ranks["tensor"], {"0": ColwiseParallel(), "1": RowwiseParallel()})
        ranks = ranks["replicas", "shards"]
    for part in (*model, model):
        fully_shard(part, mesh=ranks)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    named = dict(model.named_parameters())
    state = {
        "model": {name: each.detach() for name, each in named.items()},
        "optimizer": {
            f"{moment}.{name}": optimizer.state[each][moment]
            for moment in ("exp_avg", "exp_avg_sq")
            for name, each in named.items()
        },
    }
    become(state, step, width)
    return state


def become(state: State, step: int, width: int = 6) -> None:
    """Gives a state that is spread the values of another step."""
    for part, tensors in whole(step, width).items():
        for name, values in tensors.items():
            fill(state[part][name], values)


def gathered(state: State) -> State:
    """The whole values of a state that is spread."""
    return {part: {name: each.full_tensor() for name, each in named.items()} for part, named in state.items()}  # type: ignore[attr-defined]


def same(one: State, other: State) -> bool:
    """Whether two states are the same, bit for bit."""
    return [*one] == [*other] and all(
        [*one[part]] == [*other[part]] and all(torch.equal(each, other[part][name]) for name, each in one[part].items())
        for part in one
    )


def everyone() -> distributed.ProcessGroup:
    """A group of all ranks for checkpoints alone."""
    return distributed.new_group(backend="gloo")
