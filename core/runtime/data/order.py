"""Which sample comes when: a pure function, so that a run which is resumed anywhere sees what it would have seen."""

from __future__ import annotations

from functools import lru_cache

import torch

from tttdit.core.running.chance import seed_of


def index_at(position: int, samples: int, seed: int, *, shuffle: bool) -> int:
    """The number of the sample at a position, both counted from 0. Each pass through the samples has an order of its own."""
    epoch, place = divmod(position, samples)
    return int(_order(samples, seed_of(seed, "order", epoch))[place]) if shuffle else place


@lru_cache(maxsize=2)  # the pass at work, and the next one
def _order(samples: int, seed: int) -> torch.Tensor:
    return torch.randperm(samples, generator=torch.Generator().manual_seed(seed))
