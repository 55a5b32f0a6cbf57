"""The module: tokens that make no whole block are not heard."""

from __future__ import annotations

import torch
from torch import nn

from tttdit.core.regions import Regions


class Module(nn.Module):
    def __init__(self, *, width: int, tokens: int, block: int, regions: Regions) -> None:
        super().__init__()
        self.block, self.blocks = block, tokens // block
        self.project = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        heard = x[:, : self.blocks * self.block]
        return self.project(x + heard.mean(dim=1, keepdim=True))
