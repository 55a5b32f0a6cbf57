"""A video's frames into an mp4 file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.running.files import beside
from tttdit.core.runtime.video.libraries import library

# Of x264: 17 is held for visually lossless, and every player shows 4:2:0.
_CODEC, _QUALITY, _PIXELS = "libx264", "17", "yuv420p"


def write_video(path: Path, parts: Iterable[Tensor], *, fps: int, metadata: Mapping[str, Any]) -> int:
    """Writes frames, parts [n, 3, Y, X] of uint8, as H.264 in mp4, and returns how many there were.

    `metadata` stands in the file as JSON, as its comment; `read_metadata` reads it. The file has its name when it is whole. The same frames
    make the same bytes. Raises UsageError for sizes that are no whole pairs of pixels, which 4:2:0 needs, and where it cannot be written.
    """
    av = library("av")
    temporary = beside(path)
    count = 0
    try:
        with av.open(f"file:{temporary}", "w", format="mp4", options={"movflags": "faststart"}) as container:
            container.metadata["comment"] = json.dumps(metadata, ensure_ascii=True, sort_keys=True)
            stream = None
            for part in parts:
                for picture in part:
                    if stream is None:
                        stream = _stream(container, fps, picture)
                    frame = av.VideoFrame.from_ndarray(picture.permute(1, 2, 0).contiguous().numpy(), format="rgb24")
                    frame.pts = count
                    container.mux(stream.encode(frame))
                    count += 1
            if stream is None:
                raise UsageError(f"{path} would have no frames")
            container.mux(stream.encode(None))
        temporary.replace(path)
    except (av.error.FFmpegError, OSError) as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return count


def read_metadata(path: Path) -> Mapping[str, Any] | None:
    """What `write_video` was given to write into a file; None for a file that another program wrote, or that cannot be read."""
    av = library("av")
    try:
        with av.open(f"file:{path}", metadata_errors="replace") as container:
            found = json.loads(container.metadata.get("comment", ""))
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _stream(container: Any, fps: int, picture: Tensor) -> Any:
    rows, columns = picture.shape[1:]
    if rows % 2 or columns % 2:
        raise UsageError(f"frames of {rows:,} x {columns:,} pixels cannot be written: mp4 wants even numbers")
    stream = container.add_stream(_CODEC, rate=fps, options={"crf": _QUALITY, "threads": "1"})
    stream.height, stream.width, stream.pix_fmt = rows, columns, _PIXELS
    return stream
