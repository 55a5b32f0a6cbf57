"""Announces the codec `cogvideox-vae`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Codec

if TYPE_CHECKING:
    from tttdit.plugins.cogvideox_vae.spec import VideoVAETable


def dimensions(table: VideoVAETable, dims: Dimensions) -> None:
    """F, H, W: the video's frames, rows and columns as latents, the first frame alone; C, their channels."""
    frames, time = dims.symbol("N"), table.time_compression
    dims.derive("F", (frames - 1) / time + 1, meaning="latent frames", keys=("codec.time_compression",), atomic=True)
    space, keys = table.space_compression, ("codec.space_compression",)
    dims.derive("H", dims.symbol("pixel_height") / space, meaning="rows of a latent frame", keys=keys)
    dims.derive("W", dims.symbol("pixel_width") / space, meaning="columns of a latent frame", keys=keys)
    dims.give("C", table.channels, meaning="latent channels", keys=("codec.channels",))


@hookimpl
def tttdit_codecs() -> list[Codec]:
    """CogVideoX's video VAE, or one of another geometry."""
    return [
        Codec(
            name="cogvideox-vae",
            summary="CogVideoX's video VAE: 8 x 8 in space, 4 in time with the first frame alone, 16 channels.",
            table="tttdit.plugins.cogvideox_vae.spec:VideoVAETable",
            rules="tttdit.plugins.cogvideox_vae.rules",
            dimensions=dimensions,
        )
    ]
