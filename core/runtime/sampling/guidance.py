"""A model's prediction of the video, guided by a text and away from another (Ho and Salimans 2022).

Plain PyTorch, run in both worlds.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from tttdit.core.runtime.sampling.solver import Level


class Guided:
    """What a solver asks at every step.

    The model is asked with one text after the other, so that only one forward pass is in memory.
    """

    def __init__(
        self,
        model: Callable[[Tensor, Tensor, Tensor], Tensor],
        text: Tensor,
        negative: Tensor,
        weight: Callable[[Level], float],
    ) -> None:
        """Embeddings [B, S, T, X] of the texts and of what is not wanted, in the model's type; `weight` is the solver's `guidance`."""
        self._model, self._text, self._negative, self._weight = model, text, negative, weight

    def __call__(self, x: Tensor, level: Level) -> Tensor:
        """The prediction of the video [B, F, C, H, W] from the sample x at a level, float32.

        The model predicts v (Salimans and Ho 2022), so the video is a x - sqrt(1 - a^2) v, with the share a that it was trained with.
        """
        timestep = torch.full((x.shape[0],), level.number, dtype=torch.int64, device=x.device)
        sample, weight = x.to(self._text.dtype), self._weight(level)
        v = self._model(sample, self._text, timestep).to(x.dtype)
        if weight != 1:
            negative = self._model(sample, self._negative, timestep).to(x.dtype)
            v = negative + weight * (v - negative)
        a = level.trained
        return a * x - math.sqrt(1 - a * a) * v
