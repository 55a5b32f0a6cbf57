"""What `[codec]` says to `cogvideox-vae`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tttdit.core.spec.tables import Count, PluginTable

_Factor = Annotated[int, Field(ge=1, le=1024)]


class VideoVAETable(PluginTable):
    """`[codec]` with `plugin = "cogvideox-vae"`: the geometry of a video VAE that keeps the first frame for itself."""

    space_compression: _Factor = Field(default=8, description="Rows, and columns, of pixels in one latent pixel.")
    time_compression: _Factor = Field(
        default=4, description="Frames in one latent frame; the video's first frame is a latent frame of its own."
    )
    channels: Count = Field(default=16, description="Channels of the latents.")
