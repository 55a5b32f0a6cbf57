"""What `[data]` says to `synthetic`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import Count, PluginTable


class SyntheticTable(PluginTable):
    """`[data]` with `plugin = "synthetic"`: samples that are made up, and that a model can learn."""

    samples: Count = Field(default=64, description="Different samples; after the last one they come again.")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="Start of the samples' random numbers.")
    scale: float = Field(default=1.0, gt=0, le=1000, description="Standard deviation of the latents and embeddings.")
