"""What a sampler's `module` makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor


class Level(NamedTuple):
    """The noise level of one step: a sample is x_t = a x + sqrt(1 - a^2) e there.

    `number` is the level among the 1,000 of training, which the model is told. `a` is the signal's share by the steps' own schedule,
    `following` that of the next step, 1 after the last; `trained` is the share nearest to `a` that the model was trained with.
    """

    number: int
    a: float
    following: float
    trained: float
    step: int  # counted from 0
    steps: int


class Solver(Protocol):
    """What a sampler's `module` makes: `Solver(table)`. It runs in both worlds: a check finds out what memory it takes."""

    def guidance(self, level: Level) -> float:
        """The weight c of the text: the model's answer is negative + c (positive - negative)."""

    def sample(
        self,
        start: Tensor,
        levels: Sequence[Level],
        denoised: Callable[[Tensor, Level], Tensor],
        noise: Callable[[], Tensor],
    ) -> Iterator[Tensor]:
        """The sample after every step; the last one is the video.

        `start` [B, F, C, H, W], float32, is noise at the first level; `denoised(x, level)` is the model's prediction of the video,
        guided; `noise()` is a new standard normal like `start`.
        """
