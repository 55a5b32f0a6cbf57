"""The module: a decomposition, where the table asks for it."""

from __future__ import annotations

import torch
from torch import nn

from tttdit.core.regions import Regions


class Module(nn.Module):
    def __init__(self, *, width: int, whiten: bool, regions: Regions) -> None:
        super().__init__()
        self.whiten = whiten
        self.project = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.project.weight
        if self.whiten:
            u, _, v = torch.linalg.svd(weight)
            weight = u @ v
        return nn.functional.linear(x, weight)
