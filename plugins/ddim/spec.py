"""What `[sampling]` says to `ddim`."""

from __future__ import annotations

from pydantic import Field

from tttdit.plugins.guidance.spec import GuidanceTable


class DDIMTable(GuidanceTable):
    """`[sampling]` with `plugin = "ddim"`."""

    eta: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of fresh noise in every step. 0: none, so that the start decides all; 1: as much as DDPM's.",
    )
