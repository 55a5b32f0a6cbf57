"""Regions: the named parts of a forward pass that a memory strategy may keep or recompute.

A module calls its regions by name and passes tensors as arguments, never through closures:

    attended = self.regions("attention", self.attend, text, video)

What happens then is not the module's business: this class runs the function, and the runtime's own (`tttdit.core.runtime.remat`)
recomputes it in backward where the spec says so. The full name of a region is the path of the place it lies in
(`layers.0.attention`), the same in the spec's report, in both worlds and in the docs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Regions:
    """Runs every region as it is; nothing is recomputed."""

    def __init__(self, path: str = "") -> None:
        self.path = path

    def within(self, name: str) -> Regions:
        """The same regions, seen from a part of the model: `regions.within("layers.0")`."""
        return Regions(self._join(name))

    def __call__(self, name: str, function: Callable[..., Result], *arguments: Any) -> Result:
        """`function(*arguments)`, as the region of this name."""
        return function(*arguments)

    def group_size(self, name: str, count: int) -> int:
        """How many of `count` equal pieces (layers, mini-batches) one sized region holds: all of them, unless a strategy says else."""
        return count

    def _join(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name
