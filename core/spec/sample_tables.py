"""What one sample is: `[video]` and `[text]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tttdit.core.spec.fields import LARGEST_COUNT, Count, Dimension, Text
from tttdit.core.spec.table import Table


class VideoTable(Table):
    """`[video]`: how long and how large a video is. Its length is given by `seconds` or by `pixel_frames`."""

    seconds: Annotated[int | float, Field(gt=0, le=LARGEST_COUNT)] | None = Field(
        default=None,
        description="Length of a video in seconds; it has fps * seconds + 1 frames. Or give pixel_frames.",
        examples=[9],
    )
    pixel_frames: Dimension | None = Field(
        default=None, description="Length of a video in frames, the first one included. Or give seconds."
    )
    fps: Count = Field(description="Frames a second.", examples=[16])
    height: Dimension = Field(description="Height of a frame in pixels.", examples=[480])
    width: Dimension = Field(description="Width of a frame in pixels.", examples=[720])


class TextTable(Table):
    """`[text]`: the text that goes with a video, in segments of equal length."""

    segments: Count | Literal["auto"] = Field(
        description="Text segments of one video, each going with one stretch of its frames; "
        '"auto": from the number of frames.',
        examples=["auto"],
    )
    tokens_per_segment: Dimension | Literal["auto"] = Field(
        description='Tokens in each segment; "auto": the largest valid length up to max_tokens.',
        examples=["auto"],
    )
    max_tokens: Dimension = Field(
        default=512, description='The most tokens a segment may have where tokens_per_segment is "auto".'
    )
    encoder: Text | None = Field(
        default=None, description="Name of the plugin for the text encoder whose embeddings the data holds."
    )
    encoder_folder: Text | None = Field(
        default=None,
        description="Folder with the text encoder's weights, seen from the spec's, for preparing data and for sampling.",
    )
    width: Dimension = Field(description="Width of the text encoder's embeddings, in numbers a token.", examples=[4096])
