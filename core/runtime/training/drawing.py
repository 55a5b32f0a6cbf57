"""What chance decides in a step: each sample's level of noise, its noise, and whether it loses its text.

Every draw is seeded by what it is for (`core.running.chance`), so that a resumed run draws what an undisturbed one does, on every rank.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tttdit.core.running.chance import seed_of
from tttdit.core.runtime.objective import LEVELS


def levels(count: int, rank: int, ranks: int, chance: torch.Generator) -> Tensor:
    """Levels of noise of a rank's samples, [count] int64 in 0 ... 999, such that the data-parallel ranks of a step cover the range.

    The range is cut into equal parts, as many as divide it and there are ranks for; a rank draws from its own.
    """
    parts = max(parts for parts in range(1, min(ranks, LEVELS) + 1) if LEVELS % parts == 0)
    width = LEVELS // parts
    return torch.randint(width, (count,), generator=chance) + (rank % parts) * width


def generator(*parts: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator that starts where these parts say."""
    return torch.Generator(device).manual_seed(seed_of(*parts))


def without_some_texts(text: Tensor, probability: float, chance: torch.Generator) -> Tensor:
    """text [B, S, T, X] in which each sample's is zeros with this probability."""
    keeps = torch.rand(text.shape[0], generator=chance) >= probability
    return text if bool(keeps.all()) else text * keeps.to(text).view(-1, *[1] * (text.dim() - 1))
