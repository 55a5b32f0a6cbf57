"""A stage's model, spread over the ranks, with its first values."""

from __future__ import annotations

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh

from tttdit.core.running.chance import seed_of
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.sharding import shard
from tttdit.core.stage import Stage


def spread_model(stage: Stage, mesh: DeviceMesh, device: torch.device) -> nn.Module:
    """The model with new float32 values, of which this rank holds its part; nobody ever holds the whole.

    The values follow from `training.seed`, and are the same on every mesh.
    """
    model = build_stage(stage, device="meta")
    shard(model, stage, mesh)
    model.to_empty(device=device)
    torch.manual_seed(seed_of(stage.training.seed, "parameters"))
    model.reset_parameters()  # type: ignore[operator]
    return model
