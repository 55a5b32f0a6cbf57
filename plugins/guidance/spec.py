"""The keys of `[sampling]` that samplers with guidance have."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tttdit.core.spec.tables import SamplerTable


class GuidanceTable(SamplerTable):
    """`[sampling]` of a sampler with classifier-free guidance (Ho and Salimans 2022).

    The guidance weighs 1 + guidance_scale (1 - cos(pi ((n - t) / n) ** guidance_exponent)) / 2.
    """

    guidance_scale: float = Field(default=6.0, ge=0, le=1000, description="Strength of the guidance at its highest.")
    guidance_exponent: float = Field(
        default=5.0, gt=0, le=1000, description="How late the guidance grows; 1: evenly over a cosine."
    )
    guidance_schedule: Literal["cogvideox", "smooth"] = Field(
        default="cogvideox",
        description='What t is in the guidance\'s formula. "cogvideox": the noise level, 0 to 999, as CogVideoX and diffusers have '
        'it; "smooth": the index of the step.',
    )
