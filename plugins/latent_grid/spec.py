"""The keys of `[codec]` that say how the grid of latents lies on the video."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from tttdit.core.spec.tables import Count, PluginTable

Factor: TypeAlias = Annotated[int, Field(ge=1, le=1024)]


class LatentGridTable(PluginTable):
    """The geometry of a codec that keeps the video's first frame for itself."""

    space_compression: Factor = Field(default=8, description="Rows, and columns, of pixels in one latent pixel.")
    time_compression: Factor = Field(
        default=4, description="Frames in one latent frame; the video's first frame is a latent frame of its own."
    )
    channels: Count = Field(default=16, description="Channels of the latents.")
