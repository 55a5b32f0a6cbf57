"""A program of one family of functions, run in both worlds in the three ways in which lifetimes differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worlds import Leaf, Program, check


def trained(*shape: int, dtype: str = "float32") -> Leaf:
    """A leaf that wants a gradient."""
    return Leaf(shape, True, dtype)


def frozen(*shape: int, dtype: str = "float32") -> Leaf:
    """A leaf that wants none."""
    return Leaf(shape, False, dtype)


def check_everywhere(program: Program, leaves: Sequence[Leaf]) -> None:
    """As it is; in a region that is recomputed, where the order of what is saved shows; and outside the graph, where temporaries show."""
    if any(leaf.trained for leaf in leaves):
        check(program, leaves)

        def region(torch: Any, *tensors: Any) -> Any:
            from_inputs = lambda *given: program(torch, *given)  # noqa: E731
            return torch.utils.checkpoint.checkpoint(from_inputs, *tensors, use_reentrant=False) * 2

        check(region, leaves)

    def outside(torch: Any, *tensors: Any) -> Any:
        with torch.no_grad():
            result = program(torch, *tensors[:-1])
        return result * tensors[-1]

    check(outside, [*leaves, trained(1)])
