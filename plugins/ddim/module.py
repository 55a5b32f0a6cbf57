"""DDIM (Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", equation 12)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from tttdit.core.runtime.sampling.solver import Level
from tttdit.plugins.guidance.module import GuidedSolver

if TYPE_CHECKING:
    from tttdit.plugins.ddim.spec import DDIMTable


class Solver(GuidedSolver):
    """A first-order solver, without fresh noise where eta is 0."""

    _table: DDIMTable

    def sample(
        self,
        start: Tensor,
        levels: Sequence[Level],
        denoised: Callable[[Tensor, Level], Tensor],
        noise: Callable[[], Tensor],
    ) -> Iterator[Tensor]:
        """See `Solver`. x <- a_next video + sqrt(s_next^2 - sigma^2) e + sigma z, e = (x - a video) / s, s = sqrt(1 - a^2).

        sigma = eta (s_next / s) sqrt(1 - a^2 / a_next^2). The last step returns the prediction.
        """
        x = start
        for level in levels[:-1]:
            video = denoised(x, level)
            a, a_next = level.a, level.following
            s, s_next = math.sqrt(1 - a * a), math.sqrt(1 - a_next * a_next)
            sigma = self._table.eta * s_next / s * math.sqrt(1 - (a / a_next) ** 2)
            kept = math.sqrt(s_next * s_next - sigma * sigma) / s
            x = kept * x + (a_next - a * kept) * video
            if sigma:
                x = x + sigma * noise()
            yield x
        yield denoised(x, levels[-1])
