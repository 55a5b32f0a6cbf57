"""Frames of a video file, at the times and in the size that a spec wants."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
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
_LONGEST_STILL = 60  # seconds: where a picture would stay for longer, a time stamp is damaged
_LATE_END = 1  # second by which a file may go on, with sound, after its last picture

# FFmpeg's readers of what is no video: text, which they draw, and lists of other files.
_NO_VIDEOS = frozenset({"adf", "bin", "concat", "dash", "hls", "idf", "imf", "tty", "xbin"})


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
        seconds = _said_length(container, stream)
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


@frozen
class Length:
    """How long a video is by the time stamps that are in its file, in seconds; `problem` says what keeps it from being longer.

    `rates` are the fewest and the most pictures a second, where these change.
    """

    seconds: Fraction
    problem: str = ""
    rates: tuple[float, float] | None = None

    def frames(self, fps: int) -> int:
        """How many frames `frames` gives, give or take one."""
        return math.ceil(self.seconds * fps)


def length_of(path: Path) -> Length:
    """A video's length; nothing is decoded. Raises UsageError where there is no picture, or the file cannot be read."""
    first: int | None = None
    end, problem, times = 0, "", array("q")
    with _opened(path) as container:
        stream = _video(container, path)
        longest = math.floor(_LONGEST_STILL / stream.time_base)
        try:
            for packet in container.demux(stream):
                if packet.pts is None or packet.is_discard:
                    continue
                if first is None:
                    first = end = packet.pts
                elif packet.pts - end > longest:
                    problem = _gap(path, (end - first) * stream.time_base, (packet.pts - end) * stream.time_base)
                    break
                first = min(first, packet.pts)
                times.append(packet.pts)
                end = max(end, packet.pts + min(packet.duration or 0, longest))
        except _unreadable() as error:
            problem = _damage(path, None if first is None else (end - first) * stream.time_base, error)
        if first is None:
            raise UsageError(problem or f"{path} has no pictures with time stamps")
        seconds = Fraction((end - first) * stream.time_base)
        said = _said_length(container, stream)
        if not problem and said is not None and said - seconds > _LATE_END:
            problem = f"{path} is {float(said):.1f} s long, and its pictures end after {float(seconds):.1f} s"
        return Length(seconds, problem, _rates(times, stream.time_base))


def _rates(times: Iterable[int], tick: Fraction) -> tuple[float, float] | None:
    """The fewest and the most pictures a second; None where they come evenly, but for the rounding of time stamps."""
    apart = [later - earlier for earlier, later in pairwise(sorted(times)) if later > earlier]
    if not apart:
        return None
    shortest, longest = min(apart) * tick, max(apart) * tick
    evenly = longest - shortest <= 2 * max(tick, _ROUNDING)
    return None if evenly else (float(1 / longest), float(1 / shortest))


def _at_times(path: Path, fps: int, height: int, width: int) -> Iterator[Tensor]:
    number, shown, ends = 0, None, Fraction(0)
    with _opened(path) as container:
        stream = _video(container, path)
        origin, aspect = None, _aspect(stream)
        step = Fraction(1, fps)
        for frame in _decoded(container, stream, path):
            time = frame.pts * frame.time_base
            origin = time if origin is None else origin
            if time - origin - ends > _LONGEST_STILL:
                raise DamagedClip(_gap(path, ends, time - origin - ends))
            begins = time - origin - _ROUNDING
            while shown is not None and number * step < begins:
                yield shown
                number += 1
            try:
                shown = _picture(frame, aspect, height, width)
            except _unreadable() as error:
                raise DamagedClip(_damage(path, time - origin, error)) from None
            ends = time - origin + _shown_for(frame, stream, step)
    while shown is not None and number * step < ends:
        yield shown
        number += 1


def _shown_for(frame: Any, stream: Any, step: Fraction) -> Fraction:
    """How long the last picture stays: as the file says, or as the others do on average."""
    if frame.duration:
        return min(Fraction(frame.duration * frame.time_base), Fraction(_LONGEST_STILL))
    return 1 / Fraction(stream.average_rate) if stream.average_rate else step


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A file that is read as a video is, and that makes FFmpeg look at nothing but files."""
    av = library("av")
    try:
        # without "file:" a name as 12:30.mp4 would be one of a protocol
        opened = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    with opened as container:
        if _NO_VIDEOS.intersection(container.format.name.split(",")):
            raise UsageError(f"{path} is no video, but {container.format.long_name}")
        yield container


def _video(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise UsageError(f"{path} has no video")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _said_length(container: Any, stream: Any) -> Fraction | None:
    """How many seconds the video has, as its file says: of itself, or of the whole."""
    if stream.duration is not None:
        return Fraction(stream.duration * stream.time_base)
    if container.duration is not None:
        return Fraction(container.duration, library("av").time_base)
    return None


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """The frames that have a time, in its order."""
    first = last = None
    try:
        for frame in container.decode(stream):
            if frame.pts is None or (last is not None and frame.pts <= last):
                continue
            first, last = frame.pts if first is None else first, frame.pts
            yield frame
    except _unreadable() as error:
        raise DamagedClip(_damage(path, None if last is None else (last - first) * stream.time_base, error)) from None


def _unreadable() -> tuple[type[Exception], ...]:
    """What PyAV raises for what it cannot read; IndexError where a stream begins that was not announced."""
    return library("av").error.FFmpegError, IndexError


def _damage(path: Path, seconds: Fraction | None, error: Exception) -> str:
    at = f"after {float(seconds):.1f} s" if seconds is not None else "at its first picture"
    unannounced = type(error) is IndexError
    what = "a stream begins that was not announced" if unannounced else getattr(error, "strerror", None) or error
    return f"{path} is damaged {at}: {what}"


def _gap(path: Path, seconds: Fraction, gap: Fraction) -> str:
    return f"{path} is damaged after {float(seconds):.1f} s: its next picture comes {float(gap):,.0f} s later"


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
