"""Whole values into tensors of which a rank may hold a part only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset


@torch.no_grad()
def fill(tensor: Tensor, whole: Tensor) -> None:
    """Copies whole values into a tensor, in its own dtype; of a DTensor every rank copies its part, and nobody communicates."""
    if not isinstance(tensor, DTensor):
        tensor.copy_(whole)
        return
    shape, offset = compute_local_shape_and_global_offset(tensor.shape, tensor.device_mesh, tensor.placements)
    mine = whole
    for dimension, (start, length) in enumerate(zip(offset, shape, strict=True)):
        if length < whole.shape[dimension]:
            mine = mine.narrow(dimension, start if length else 0, length)
    tensor.to_local().copy_(mine)
