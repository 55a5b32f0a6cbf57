"""Regions that are recomputed in backward, by non-reentrant checkpointing.

A region that is recomputed keeps its tensor arguments and the state of the random number generators, so that one that draws (dropout, in a
third party's mixer) draws the same numbers again. The CPU's generator takes 5,056 bytes of host memory a region and is no tensor of
the step: neither `LiveBytes` nor the symbolic world counts it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch
from torch.utils.checkpoint import checkpoint

from tttdit.core.regions import Regions

Result = TypeVar("Result")


class Strategy(Protocol):
    """What a memory strategy answers."""

    def recomputes(self, region: str) -> bool:
        """Whether the region of this full name (`layers.0.attention`) is recomputed in backward."""

    def group_size(self, name: str, count: int) -> int:
        """How many of `count` equal pieces one sized region holds."""


class RecomputedRegions(Regions):
    """Runs each region as the strategy says.

    Where no gradient is recorded (`torch.no_grad`, `torch.inference_mode`) there is no backward to recompute for, and a region is just run.
    """

    def __init__(self, strategy: Strategy, path: str = "") -> None:
        super().__init__(path)
        self.strategy = strategy

    def within(self, name: str) -> Regions:
        """The same regions, seen from a part of the model."""
        return RecomputedRegions(self.strategy, self._join(name))

    def __call__(self, name: str, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result; kept or made again in backward. What the function raises comes through as it is."""
        if not self.strategy.recomputes(self._join(name)) or not torch.is_grad_enabled():
            return function(*arguments)
        result: Result = checkpoint(function, *arguments, use_reentrant=False)
        return result

    def group_size(self, name: str, count: int) -> int:
        """As the strategy says."""
        return self.strategy.group_size(name, count)
