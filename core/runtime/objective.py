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
    given x_t = a video + s noise, with a = `amplitudes()[timestep]` and s = sqrt(1 - a^2), and predicts v; the prediction of the video is
    a x_t - s v (Salimans and Ho 2022; zero terminal SNR: Lin et al. 2024). That is the mean of (v - (a noise - s video))^2, and computed
    so, without a quotient of two small differences where there is hardly any noise. In float32, for a float64 video in float64;
    the model gets x_t in the video's dtype. Raises ValueError for noise or a timestep of another shape, which would be repeated.
    """
    for name, given, wanted in (("noise", noise.shape, video.shape), ("timestep", timestep.shape, video.shape[:1])):
        if given != wanted:
            raise ValueError(f"{name} is {[*given]}, and for a video {[*video.shape]} it has to be {[*wanted]}")
    exact = torch.float64 if video.dtype == torch.float64 else torch.float32
    signal_share = amplitudes(timestep.device).index_select(0, timestep)
    noise_share = (1 - signal_share * signal_share).sqrt()
    sample = (-1, *[1] * (video.dim() - 1))
    a, s = signal_share.to(exact).view(sample), noise_share.to(exact).view(sample)
    predicted = model((a * video + s * noise).to(video.dtype), text, timestep)
    return (predicted - (a * noise - s * video)).square().mean()


def amplitudes(device: torch.device | str = "cpu") -> Tensor:
    """The signal's share a of every level [1000], float64: x_t = a x + sqrt(1 - a^2) e. From 0.9996 to 0."""
    return zero_terminal(signal(device).sqrt())


def signal(device: torch.device | str = "cpu") -> Tensor:
    """abar, the cumulated product of 1 - beta [1000], float64: the scaled linear schedule of latent diffusion."""
    betas = torch.linspace(FIRST_BETA**0.5, LAST_BETA**0.5, LEVELS, dtype=torch.float64, device=device).square()
    return (1 - betas).cumprod(0)


def zero_terminal(a: Tensor) -> Tensor:
    """Amplitudes, least noise first, moved and stretched so that the last is 0 and the first is what it was."""
    first, last = a[0], a[-1]
    return (a - last) * (first / (first - last))
