"""The training objective: v-prediction with zero terminal SNR, as CogVideoX trains.

Plain PyTorch, run in both worlds. Nothing here waits for the host, and the schedule is computed where the model is, so that a step can be
captured in a CUDA graph or followed on fake tensors.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

LEVELS = 1000  # of noise: 0 has the least, the last has no signal left
FIRST_BETA, LAST_BETA = 0.00085, 0.012


def training_loss(
    model: Callable[[Tensor, Tensor, Tensor], Tensor], video: Tensor, text: Tensor, timestep: Tensor, noise: Tensor
) -> Tensor:
    """The loss of a batch, a scalar: mean over the samples of mean((prediction of video - video)^2 / (1 - a^2)).

    video and noise [B, F, C, H, W], text [B, S, T, X], timestep [B] int64 in 0 ... 999 is each sample's level of noise. The model is
    given a video + sqrt(1 - a^2) noise, with a = `amplitudes()[timestep]`; it predicts v, and x = a x_t - sqrt(1 - a^2) v
    (Salimans and Ho 2022; zero terminal SNR: Lin et al. 2024). Differences are taken in float32 at least.
    """
    exact = torch.float64 if video.dtype == torch.float64 else torch.float32
    a = amplitudes(timestep.device).index_select(0, timestep).to(exact).view(-1, *[1] * (video.dim() - 1))
    spread = (1 - a * a).sqrt()
    noised = (a * video + spread * noise).to(video.dtype)
    predicted = a * noised - spread * model(noised, text, timestep)
    error = (predicted - video) / spread
    return error.square().mean()


def amplitudes(device: torch.device | str = "cpu") -> Tensor:
    """The signal's share a of every level [1000], float32: x_t = a x + sqrt(1 - a^2) e. From 0.9996 to 0."""
    return zero_terminal(signal(device).sqrt()).float()


def signal(device: torch.device | str = "cpu") -> Tensor:
    """abar, the cumulated product of 1 - beta [1000], float64: the scaled linear schedule of latent diffusion."""
    betas = torch.linspace(FIRST_BETA**0.5, LAST_BETA**0.5, LEVELS, dtype=torch.float64, device=device).square()
    return (1 - betas).cumprod(0)


def zero_terminal(a: Tensor) -> Tensor:
    """Amplitudes, least noise first, moved and stretched so that the last is 0 and the first is what it was."""
    first, last = a[0], a[-1]
    return (a - last) * (first / (first - last))
