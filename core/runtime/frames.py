"""Frames of a video on their way through a codec: cut anew, as numbers and as bytes, and compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain, repeat

import torch
from torch import Tensor


def cut_anew(parts: Iterable[Tensor], first: int, others: int) -> Iterator[Tensor]:
    """The same frames in parts of `first`, then `others` frames each; the last part is what is left.

    Holds no more than one of the parts that come, and one of those that go.
    """
    sizes = chain((first,), repeat(others))
    held: list[Tensor] = []
    missing = next(sizes)
    for part in parts:
        while len(part) >= missing:
            yield torch.cat([*held, part[:missing]])
            part, held, missing = part[missing:], [], next(sizes)
        if len(part):
            held.append(part.clone())  # a view would hold the whole part
            missing -= len(part)
    if held:
        yield torch.cat(held)


def as_numbers(frames: Tensor) -> Tensor:
    """Bytes as float32 in [-1, 1], black to white."""
    return frames.to(torch.float32) / 127.5 - 1.0


def as_bytes(numbers: Tensor) -> Tensor:
    """Numbers in [-1, 1] as bytes; what lies outside is black or white."""
    return ((numbers.clamp(-1.0, 1.0) + 1.0) * 127.5).round().to(torch.uint8)


def psnr(original: Iterable[Tensor], decoded: Iterable[Tensor]) -> float:
    """The peak signal-to-noise ratio of a video's bytes, in dB: 10 log10(255^2 / mean squared error); infinite where all are equal.

    Both come in parts [n, 3, Y, X], each cut in its own way. Raises ValueError where there are no frames, or not the same ones.
    """
    squares, count = 0, 0
    for one, other in zip(cut_anew(original, 1, 1), cut_anew(decoded, 1, 1), strict=True):
        if one.shape != other.shape:
            raise ValueError(f"frames of {[*one.shape]} and of {[*other.shape]} cannot be compared")
        squares += int((one.int() - other.int()).square().sum())
        count += one.numel()
    if not count:
        raise ValueError("there are no frames to compare")
    return 10 * math.log10(255**2 * count / squares) if squares else math.inf
