"""The module, and its operator: with `turned` the fake has other strides than the body."""

from __future__ import annotations

import torch
from torch import nn

from tttdit.core.regions import Regions


@torch.library.custom_op("tttdit_case::doubled", mutates_args=())
def doubled(x: torch.Tensor, turned: bool) -> torch.Tensor:
    return x * 2


@doubled.register_fake
def _promised(x: torch.Tensor, turned: bool) -> torch.Tensor:
    if turned:
        return x.new_empty(x.shape[0], x.shape[2], x.shape[1]).transpose(1, 2)
    return torch.empty_like(x)


doubled.register_autograd(lambda ctx, gradient: (gradient * 2, None))


class Module(nn.Module):
    def __init__(self, *, width: int, turned: bool, regions: Regions) -> None:
        super().__init__()
        self.turned = turned
        self.project = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return doubled(self.project(x), self.turned)
