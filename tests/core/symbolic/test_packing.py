"""Vectors in one integer do what vectors do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.symbolic.packing import Packing

LENGTH, BITS = 5, 12
VECTORS = st.lists(st.integers(-300, 300), min_size=LENGTH, max_size=LENGTH)


def packed(packing: Packing, numbers: list[int]) -> int:
    return packing.zero + sum(packing.unit(at) * number for at, number in enumerate(numbers))


@given(VECTORS, VECTORS)
def test_sums_and_comparisons(some: list[int], other: list[int]) -> None:
    packing = Packing(LENGTH, BITS)
    a, b = packed(packing, some), packed(packing, other)
    assert packing.unpacked(a) == tuple((at, number) for at, number in enumerate(some) if number)
    assert packing.unpacked(a + b - packing.zero) == tuple(
        (at, x + y) for at, (x, y) in enumerate(zip(some, other, strict=True)) if x + y
    )
    assert packing.is_within(a, b) == all(x <= y for x, y in zip(some, other, strict=True))


@given(st.lists(VECTORS, min_size=1, max_size=12))
def test_the_highest(vectors: list[list[int]]) -> None:
    """Every vector is within one that is kept, and of those that are kept none is within another."""
    packing = Packing(LENGTH, BITS)
    every = [packed(packing, vector) for vector in vectors]
    kept = packing.highest(every)
    assert all(any(packing.is_within(vector, other) for other in kept) for vector in every)
    assert not any(packing.is_within(a, b) for a in kept for b in kept if a is not b)
