"""Frames of a video file, at the times and in the size that a spec wants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.runtime.video.libraries import library

_TOGETHER = 16  # frames of one part
_ROUNDING = Fraction(
    1, 1000
)  # seconds: Matroska's ticks, in time stamps that came from there too; no picture is a frame late by it


class DamagedClip(UsageError):
    """A file that could be read up to some moment, and no further."""


@frozen
class Clip:
    """What a file says of its video. `seconds` and `rate`, its mean number of frames a second, are None where it does not say."""

    height: int  # as it is shown: turned, and with square pixels
    width: int
    seconds: float | None
    rate: float | None


def clip_of(path: Path) -> Clip:
    """What a file says of its first video. Raises UsageError where it has none, or cannot be read."""
    with _opened(path) as container:
        stream = _video(container, path)
        seconds = stream.duration * stream.time_base if stream.duration is not None else None
        if seconds is None and container.duration is not None:
            seconds = Fraction(container.duration, library("av").time_base)
        first = next(_decoded(container, stream, path), None)
        if first is None:
            raise UsageError(f"{path} has no picture that could be read")
        height, width = _shown_size(first, _aspect(stream))
        rate = stream.average_rate
        return Clip(height, width, float(seconds) if seconds is not None else None, float(rate) if rate else None)


def frames(path: Path, *, fps: int, height: int, width: int) -> Iterator[Tensor]:
    """The video as it is on the screen at 0, 1 / fps, 2 / fps, ... seconds after its first picture: parts [n, 3, height, width], uint8.

    Times are those of the file's time stamps, so that its own rate may be any, and change. Pictures are scaled until they cover the size,
    and cut around their middle. Few of them are held at a time. Raises UsageError where the file cannot be read, and DamagedClip, after
    what could be, where it breaks off.
    """
    part: list[Tensor] = []
    for picture in _at_times(path, fps, height, width):
        part.append(picture)
        if len(part) == _TOGETHER:
            yield torch.stack(part)
            part.clear()
    if part:
        yield torch.stack(part)


def number_of_frames(path: Path, fps: int) -> int:
    """How many frames `frames` will give, by the file's time stamps alone: nothing is decoded. Raises UsageError as `frames` does."""
    av = library("av")
    first: int | None = None
    end: int | None = None
    with _opened(path) as container:
        stream = _video(container, path)
        try:
            for packet in container.demux(stream):
                if packet.pts is None:
                    continue
                until = packet.pts + (packet.duration or 0)
                first = packet.pts if first is None else min(first, packet.pts)
                end = until if end is None else max(end, until)
        except av.error.FFmpegError:
            pass  # what comes before is there all the same
        if first is None or end is None:
            raise UsageError(f"{path} has no picture that could be read")
        return math.ceil(Fraction(end - first) * Fraction(stream.time_base) * fps)


def _at_times(path: Path, fps: int, height: int, width: int) -> Iterator[Tensor]:
    number, shown, ends = 0, None, Fraction(0)
    with _opened(path) as container:
        stream = _video(container, path)
        origin, aspect = None, _aspect(stream)
        step = Fraction(1, fps)
        for frame in _decoded(container, stream, path):
            time = frame.pts * frame.time_base
            origin = time if origin is None else origin
            begins = time - origin - _ROUNDING
            while shown is not None and number * step < begins:
                yield shown
                number += 1
            shown = _picture(frame, aspect, height, width)
            ends = time - origin + _shown_for(frame, stream, step)
    while shown is not None and number * step < ends:
        yield shown
        number += 1


def _shown_for(frame: Any, stream: Any, step: Fraction) -> Fraction:
    """How long the last picture stays: as the file says, or as the others do on average."""
    if frame.duration:
        return Fraction(frame.duration * frame.time_base)
    return 1 / Fraction(stream.average_rate) if stream.average_rate else step


def _opened(path: Path) -> Any:
    av = library("av")
    try:
        return av.open(str(path), metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def _video(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise UsageError(f"{path} has no video")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """The frames that have a time, in its order."""
    av = library("av")
    last = None
    try:
        for frame in container.decode(stream):
            if frame.pts is None or (last is not None and frame.pts <= last):
                continue
            last = frame.pts
            yield frame
    except av.error.FFmpegError as error:
        at = f"after {float(last * stream.time_base):.1f} s" if last is not None else "at its first picture"
        raise DamagedClip(f"{path} is damaged {at}: {error.strerror or error}") from None


def _aspect(stream: Any) -> Fraction:
    """How much wider than high a pixel is."""
    aspect = stream.sample_aspect_ratio
    return Fraction(aspect) if aspect else Fraction(1)


def _shown_size(frame: Any, aspect: Fraction) -> tuple[int, int]:
    """Height and width with square pixels, turned as the camera was."""
    height, width = frame.height, round(frame.width * aspect)
    return (width, height) if _quarter_turns(frame) % 2 else (height, width)


def _quarter_turns(frame: Any) -> int:
    """By how many quarters, against the clock, a picture has to be turned."""
    return round((frame.rotation or 0) / 90) % 4


def _picture(frame: Any, aspect: Fraction, height: int, width: int) -> Tensor:
    """The middle of a frame [3, height, width], uint8."""
    turns = _quarter_turns(frame)
    shown_height, shown_width = _shown_size(frame, aspect)
    scale = max(Fraction(height, shown_height), Fraction(width, shown_width))
    rows, columns = max(height, round(shown_height * scale)), max(width, round(shown_width * scale))
    stored = (columns, rows) if turns % 2 else (rows, columns)
    scaled = frame.reformat(
        width=stored[1], height=stored[0], format="rgb24", interpolation="AREA" if scale < 1 else "BICUBIC"
    )
    picture = torch.from_numpy(scaled.to_ndarray())  # [rows, columns, 3]
    if turns:
        picture = picture.rot90(turns, (0, 1))
    top, left = (rows - height) // 2, (columns - width) // 2
    return picture[top : top + height, left : left + width].permute(2, 0, 1).contiguous()
