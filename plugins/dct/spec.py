"""What `[codec]` says to `dct`."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from tttdit.core.spec.tables import Count
from tttdit.plugins.latent_grid.spec import Factor, LatentGridTable

COLOURS = 3
MOST_PIXELS = 2048  # of a block, over all its frames: choosing coefficients takes a table of the square of it


class DCTTable(LatentGridTable):
    """`[codec]` with `plugin = "dct"`: how large its blocks are, and how many coefficients of each it keeps."""

    time_compression: Factor = Field(
        default=4,
        validate_default=True,
        description="Frames in one latent frame; the video's first frame is a latent frame of its own.",
    )
    channels: Count = Field(
        default=16, validate_default=True, description="Channels of the latents: coefficients that are kept of a block."
    )

    @field_validator("time_compression")
    @classmethod
    def _small_blocks(cls, frames: int, info: ValidationInfo) -> int:
        space = info.data.get("space_compression", 1)
        if frames * space**2 > MOST_PIXELS:
            raise PydanticCustomError(
                "large_block",
                "a block of {frames} frames of {space} x {space} pixels has {pixels} pixels; at most {most} are transformed together",
                {"frames": frames, "space": space, "pixels": frames * space**2, "most": MOST_PIXELS},
            )
        return frames

    @field_validator("channels")
    @classmethod
    def _no_more_than_there_are(cls, channels: int, info: ValidationInfo) -> int:
        space = info.data.get("space_compression")
        if space is not None and channels > COLOURS * space**2:
            raise PydanticCustomError(
                "too_many_channels",
                "a block of {space} x {space} pixels of the first frame has {there} coefficients, and cannot keep {channels}",
                {"space": space, "there": COLOURS * space**2, "channels": channels},
            )
        return channels
