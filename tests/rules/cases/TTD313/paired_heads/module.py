"""The module, with an assertion of its own."""

from __future__ import annotations

import torch
from torch import nn

from tttdit.core.regions import Regions


class Module(nn.Module):
    def __init__(self, *, width: int, heads: int, regions: Regions) -> None:
        super().__init__()
        if heads % 2:
            raise ValueError(f"heads work in pairs, and {heads} is odd")
        self.project = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.project(x)
