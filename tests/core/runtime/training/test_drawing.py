"""What chance decides: levels of noise, dropped texts, and where it starts."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.runtime.training.drawing import generator, levels, without_some_texts


@given(ranks=st.integers(1, 1200), seed=st.integers(0, 2**31))
def test_every_rank_draws_from_its_own_part(ranks: int, seed: int) -> None:
    parts = max(n for n in range(1, min(ranks, 1000) + 1) if 1000 % n == 0)
    width = 1000 // parts
    for rank in {0, ranks // 2, ranks - 1}:
        drawn = levels(16, rank, ranks, generator(seed, rank))
        assert drawn.dtype == torch.int64
        assert bool((drawn // width == rank % parts).all())


def test_one_rank_draws_from_the_whole_range() -> None:
    drawn = levels(20_000, 0, 1, generator(1))
    assert drawn.min() == 0
    assert drawn.max() == 999
    assert abs(float(drawn.float().mean()) - 499.5) < 10


def test_texts_are_dropped_whole_and_as_often_as_asked() -> None:
    text = torch.ones(4000, 2, 3, 5)
    left = without_some_texts(text, 0.1, generator(1)).flatten(1)
    sums = left.sum(1)
    assert set(sums.tolist()) == {0.0, 30.0}
    assert abs(float((sums == 0).float().mean()) - 0.1) < 0.02


def test_nothing_is_dropped_with_probability_zero() -> None:
    text = torch.randn(8, 2, 3, 5)
    assert without_some_texts(text, 0.0, generator(1)) is text


def test_a_generator_starts_where_its_parts_say() -> None:
    first, second = (torch.rand(3, generator=generator(42, "9s", 7, "noise")) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, torch.rand(3, generator=generator(42, "9s", 8, "noise")))
