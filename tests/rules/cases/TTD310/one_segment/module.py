"""The module with the mistake: right for one segment, and for no other number."""

from __future__ import annotations

import torch
from torch import nn

from tttdit.core.naming import named
from tttdit.core.regions import Regions


class Module(nn.Module):
    def __init__(self, *, width: int, positions: int, text_tokens: int, regions: Regions) -> None:
        super().__init__()
        self.text_tokens = text_tokens
        self.wo = nn.Linear(width, width)
        self.register_buffer("rope", torch.zeros(positions, width), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        text, video = x[:, : self.text_tokens], x[:, self.text_tokens :]
        turned = named("the_video_part", video) * named("RoPE", self.rope)
        return self.wo(torch.cat([text, turned], dim=1))
