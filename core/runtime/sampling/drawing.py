"""Draws the latents of a video from noise.

Plain PyTorch, run in both worlds: a check counts its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from tttdit.core.runtime.sampling.guidance import Guided
from tttdit.core.runtime.sampling.solver import Level, Solver


def draw(
    model: Callable[[Tensor, Tensor, Tensor], Tensor],
    solver: Solver,
    levels: Sequence[Level],
    start: Tensor,
    text: Tensor,
    negative: Tensor,
    noise: Callable[[], Tensor],
) -> Iterator[Tensor]:
    """The latents after every step; the last ones are the video's, [B, F, C, H, W] float32.

    `start` is noise like them; `text` and `negative` [B, S, T, X] are embeddings in the model's type; `noise()` is more of it.
    """
    drawn = solver.sample(start, levels, Guided(model, text, negative, solver.guidance), noise)
    del start
    for _ in levels:
        with torch.no_grad():
            x = next(drawn)
        yield x
