"""What `[sampling]` says to `dpmpp-2m-sde`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tttdit.core.spec.tables import PluginTable


class DPMSolverTable(PluginTable):
    """`[sampling]` with `plugin = "dpmpp-2m-sde"`.

    The guidance weighs 1 + guidance_scale (1 - cos(pi ((n - t) / n) ** guidance_exponent)) / 2.
    """

    steps: int = Field(
        default=50,
        ge=1,
        lt=1000,
        description="Denoising steps n. There are 1,000 noise levels, and each step needs a level below the one before.",
    )
    guidance_scale: float = Field(default=6.0, ge=0, le=1000, description="Strength of the guidance at its highest.")
    guidance_exponent: float = Field(
        default=5.0, gt=0, le=1000, description="How late the guidance grows; 1: evenly over a cosine."
    )
    guidance_schedule: Literal["cogvideox", "smooth"] = Field(
        default="cogvideox",
        description='What t is in the guidance\'s formula. "cogvideox": the noise level, 0 to 999, as CogVideoX and diffusers have '
        'it; "smooth": the index of the step.',
    )
