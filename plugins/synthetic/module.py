"""Samples that are made up, and that a model can learn: smooth latents which follow from what the text says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from tttdit.core.running.chance import seed_of
from tttdit.plugins.synthetic.spec import SyntheticTable

PATTERNS = 4  # that latents are mixed of
EVEN = 3  # of them that are the same everywhere in a video; a model learns these first


class SyntheticSource:
    """Every sample is a mixture of a few patterns; its text says in which shares.

    A pattern has a number for each channel, the same everywhere, or a wave over frames, rows and columns; texts are fixed directions in
    the space of embeddings, in the same shares, the same for all segments and tokens. Both have the standard deviation `scale`. The same
    seed and number give the same sample.
    """

    def __init__(self, table: SyntheticTable, wanted: Mapping[str, tuple[int, ...]], folder: Path) -> None:
        """`wanted` is video [F, C, H, W] and text [S, T, X]."""
        self._table, self._video, self._text = table, wanted["video"], wanted["text"]

    def __len__(self) -> int:
        return self._table.samples

    def name(self, index: int) -> str:
        """Its number."""
        return f"sample {index:,}"

    def sample(self, index: int, chance: torch.Generator) -> Mapping[str, Tensor]:
        """Nothing is drawn from `chance`."""
        shares = torch.randn(PATTERNS, generator=_generator(self._table.seed, "shares", index))
        shares = shares / shares.square().mean().sqrt() / math.sqrt(PATTERNS)
        video = torch.einsum("n,nfchw->fchw", shares, self._patterns())
        text = (shares @ self._directions()).expand(self._text)
        return {"video": video * self._table.scale, "text": text * self._table.scale}

    def _patterns(self) -> Tensor:
        """[n, F, C, H, W], each with unit variance."""
        chance = _generator(self._table.seed, "patterns")
        frames, channels, rows, columns = self._video
        axes = [torch.arange(length) / length for length in (frames, rows, columns)]
        waves = torch.randint(0, 2, (3, PATTERNS, channels, 1, 1, 1), generator=chance)
        waves[:, :EVEN] = 0
        phase = torch.rand((PATTERNS, channels, 1, 1, 1), generator=chance)
        turns = (
            waves[0] * axes[0].view(-1, 1, 1) + waves[1] * axes[1].view(-1, 1) + waves[2] * axes[2] + phase
        )  # [n, C, F, H, W]
        made = (2 * math.pi * turns).cos()
        return (made / made.square().mean((2, 3, 4), keepdim=True).sqrt()).transpose(1, 2)

    def _directions(self) -> Tensor:
        """[n, X], of unit variance."""
        return torch.randn((PATTERNS, self._text[-1]), generator=_generator(self._table.seed, "directions"))


def _generator(*parts: int | str) -> torch.Generator:
    return torch.Generator().manual_seed(seed_of(*parts))
