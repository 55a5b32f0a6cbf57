"""Loops whose steps are all alike.

A scan over 5,000 mini-batches is one step, 5,000 times. Written with `steps`, it is a plain `range` on torch; the symbolic world runs the
first steps, one of the steady ones and the last, and has seen all that there is to see. What a step carries to the next must
not change its shape, and results go into tensors made before the loop.
"""

from __future__ import annotations

from collections.abc import Sequence


def steps(count: int) -> Sequence[int]:
    """0 ... count - 1."""
    return range(count)
