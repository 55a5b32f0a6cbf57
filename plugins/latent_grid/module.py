"""A video in the steps that a codec takes, and what is said about one that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.runtime.frames import cut_anew
from tttdit.plugins.latent_grid.spec import LatentGridTable


def frames_in_steps(frames: Iterable[Tensor], table: LatentGridTable, first: int, others: int) -> Iterator[Tensor]:
    """The frames [n, 3, Y, X] of a video, uint8: `first` in the first step, or one alone, and `others` in all that follow.

    Raises UsageError for pictures that are no whole latent pixels, and for a length that is no such steps.
    """
    space = table.space_compression
    for step in _in_steps(frames, first, others, "pixel frames"):
        rows, columns = step.shape[2:]
        if rows % space or columns % space:
            raise UsageError(
                f"a picture of {rows:,} x {columns:,} pixels does not make whole latent pixels of {space} x {space}"
            )
        yield step


def latents_in_steps(latents: Iterable[Tensor], table: LatentGridTable, first: int, others: int) -> Iterator[Tensor]:
    """The latent frames [f, C, H, W] of a video, in such steps.

    Raises UsageError for another number of channels, and for a length that is no such steps.
    """
    for step in _in_steps(latents, first, others, "latent frames"):
        if step.shape[1] != table.channels:
            raise UsageError(f"the latents have {step.shape[1]:,} channels, and the codec {table.channels:,}")
        yield step


def _in_steps(parts: Iterable[Tensor], first: int, others: int, noun: str) -> Iterator[Tensor]:
    count = 0
    for step in cut_anew(parts, first, others):
        before, count = count, count + len(step)
        if len(step) != (others if before else first) and count != 1:
            raise UsageError(
                f"a video of {count:,} {noun} cannot be taken: after the first, they have to be a multiple of {others}"
            )
        yield step
    if not count:
        raise UsageError("a video without frames cannot be taken")
