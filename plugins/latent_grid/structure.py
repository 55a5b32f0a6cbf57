"""What codecs with such a grid announce alike: dimensions and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tttdit.core.dimensions import Dimensions

if TYPE_CHECKING:
    from tttdit.plugins.latent_grid.spec import LatentGridTable

RULES = "tttdit.plugins.latent_grid.rules"


def dimensions(table: LatentGridTable, dims: Dimensions) -> None:
    """F, H, W: the video's frames, rows and columns as latents, the first frame alone; C, their channels."""
    frames, time = dims.symbol("N"), table.time_compression
    dims.derive("F", (frames - 1) / time + 1, meaning="latent frames", keys=("codec.time_compression",), atomic=True)
    space, keys = table.space_compression, ("codec.space_compression",)
    dims.derive("H", dims.symbol("pixel_height") / space, meaning="rows of a latent frame", keys=keys)
    dims.derive("W", dims.symbol("pixel_width") / space, meaning="columns of a latent frame", keys=keys)
    dims.give("C", table.channels, meaning="latent channels", keys=("codec.channels",))
