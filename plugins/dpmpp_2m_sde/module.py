"""DPM-Solver++ (2M) SDE (Lu et al. 2022, "DPM-Solver++", and its SDE form in diffusers' CogVideoXDPMScheduler)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from tttdit.core.runtime.sampling.solver import Level
from tttdit.plugins.guidance.module import GuidedSolver


class Solver(GuidedSolver):
    """A second-order solver that adds fresh noise in every step but the last."""

    def sample(
        self,
        start: Tensor,
        levels: Sequence[Level],
        denoised: Callable[[Tensor, Level], Tensor],
        noise: Callable[[], Tensor],
    ) -> Iterator[Tensor]:
        """See `Solver`. With lambda = log(a / s), s = sqrt(1 - a^2), and h from this level's to the next:

        x <- (s_next / s) e^-h x + a_next (1 - e^-2h) D + s_next sqrt(1 - e^-2h) z. D is the prediction, from the second step on carried on
        by half a step along its change since the one before. The last step returns the prediction.
        """
        x = start
        before, h_before = start, math.inf
        for level in levels[:-1]:
            video = denoised(x, level)
            h = _log_ratio(level.following) - _log_ratio(level.a)
            kept = math.exp(-h)
            fresh = 1 - kept * kept
            s, s_next = _noise_share(level.a), _noise_share(level.following)
            aimed = level.following * fresh
            share = 0.0 if math.isinf(h_before) else aimed * h / (2 * h_before)
            x = (s_next / s * kept) * x + (aimed + share) * video
            if share:
                x = x - share * before
            x = x + (s_next * math.sqrt(fresh)) * noise()
            before, h_before = video, h
            yield x
        yield denoised(x, levels[-1])


def _noise_share(a: float) -> float:
    return math.sqrt(1 - a * a)


def _log_ratio(a: float) -> float:
    """lambda, half the logarithm of the signal-to-noise ratio; there is no signal at a = 0."""
    return math.log(a / _noise_share(a)) if a > 0 else -math.inf
