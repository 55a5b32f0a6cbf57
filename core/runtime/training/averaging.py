"""A moving average of the trained parameters (Polyak and Juditsky 1992), in float32 and in shards as they are."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """The average by the parameters' names. It begins at the first values: average <- decay average + (1 - decay) parameter."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._parameters = {name: each for name, each in model.named_parameters() if each.requires_grad}
        self.tensors: Mapping[str, Tensor] = {name: each.detach().clone() for name, each in self._parameters.items()}

    @torch.no_grad()
    def follow(self) -> None:
        """After an optimizer step."""
        torch._foreach_lerp_([*self.tensors.values()], [*self._parameters.values()], 1 - self.decay)
