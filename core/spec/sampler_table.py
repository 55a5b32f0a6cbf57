"""What every sampler's part of the spec has."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.table import PluginTable


class SamplerTable(PluginTable):
    """`[sampling]`: how videos are drawn from a trained model. A sampler's own table adds its settings."""

    steps: int = Field(
        default=50,
        ge=1,
        lt=1000,
        description="Denoising steps n. There are 1,000 noise levels, and each step needs a level below the one before.",
    )
