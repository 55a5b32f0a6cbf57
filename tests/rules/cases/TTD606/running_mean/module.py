"""The module: a sum over the sequence, and a projection."""

from __future__ import annotations

import torch
from torch import nn

from tttdit.core.regions import Regions


class Module(nn.Module):
    def __init__(self, *, width: int, regions: Regions) -> None:
        super().__init__()
        self.project = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.project(x.cumsum(1) / x.shape[1])
