"""Small videos whose every frame is known: its brightness is its number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

STEP = 8  # of brightness, from one frame to the next


def make_clip(
    path: Path,
    times: Sequence[Fraction | float],
    *,
    size: tuple[int, int] = (48, 64),
    tick: Fraction = Fraction(1, 1000),
) -> Path:
    """A video with a picture at each time, in seconds: all of one brightness, STEP times its number; its left half a little redder."""
    height, width = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv444p"
        stream.time_base = stream.codec_context.time_base = tick
        for number, time in enumerate(times):
            picture = np.full((height, width, 3), number * STEP % 240, np.uint8)
            picture[:, : width // 2, 0] += 15
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(Fraction(time) / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
