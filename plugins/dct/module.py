"""Latents that are the strongest frequencies of blocks of pixels.

Shapes: n frames of a block (1 for the video's first, else t), 3 colours, s x s pixels, C channels, H x W blocks, P = n * 3 * s * s numbers
of a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from tttdit.core.runtime.frames import as_bytes, as_numbers
from tttdit.plugins.dct.basis.module import Basis, bases
from tttdit.plugins.dct.spec import COLOURS, DCTTable
from tttdit.plugins.latent_grid.module import frames_in_steps, latents_in_steps


class DCT:
    """The codec. It keeps some numbers of an orthonormal transform; decoding takes the others for zero, the least-squares answer."""

    holds: Literal["latents"] = "latents"
    decodes_fast = True

    def __init__(self, table: DCTTable, folder: Path, device: torch.device) -> None:
        self._table, self._device = table, device
        sizes = table.time_compression, COLOURS, table.space_compression, table.channels
        self._first, self._others = (basis.to(device) for basis in bases(*sizes))

    def encode(self, frames: Iterable[Tensor]) -> Iterator[Tensor]:
        """Frames to one latent frame after the other."""
        for number, step in enumerate(frames_in_steps(frames, self._table, 1, self._table.time_compression)):
            basis = self._others if number else self._first
            yield self.transformed(as_numbers(step.to(self._device)), basis).cpu()

    def decode(self, latents: Iterable[Tensor]) -> Iterator[Tensor]:
        """One latent frame after the other to its frames."""
        for number, step in enumerate(latents_in_steps(latents, self._table, 1, 1)):
            basis = self._others if number else self._first
            yield as_bytes(self.composed(step.to(self._device), basis)).cpu()

    def transformed(self, frames: Tensor, basis: Basis) -> Tensor:
        """Numbers [n, 3, Y, X] of one step to latents [1, C, H, W]."""
        space = self._table.space_compression
        cut = frames.unflatten(3, (-1, space)).unflatten(2, (-1, space))  # [n, 3, H, s, W, s]
        blocks = cut.permute(2, 4, 0, 1, 3, 5).flatten(2)  # [H, W, P]
        return (blocks @ basis.rows.T / basis.deviations).permute(2, 0, 1).unsqueeze(0)

    def composed(self, latents: Tensor, basis: Basis) -> Tensor:
        """Latents [1, C, H, W] to the numbers [n, 3, Y, X] of one step."""
        space = self._table.space_compression
        blocks = latents.squeeze(0).permute(1, 2, 0) * basis.deviations @ basis.rows  # [H, W, P]
        cut = blocks.unflatten(2, (-1, COLOURS, space, space)).permute(2, 3, 0, 4, 1, 5)  # [n, 3, H, s, W, s]
        return cut.flatten(4, 5).flatten(2, 3)
