"""Which sample comes when: each pass is a permutation, and nothing but the position decides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.runtime.data.order import index_at

SEEDS = st.integers(0, 2**32 - 1)


@given(samples=st.integers(1, 60), seed=SEEDS, epoch=st.integers(0, 5), shuffle=st.booleans())
def test_every_pass_has_each_sample_once(samples: int, seed: int, epoch: int, shuffle: bool) -> None:
    positions = range(epoch * samples, (epoch + 1) * samples)
    assert sorted(index_at(one, samples, seed, shuffle=shuffle) for one in positions) == [*range(samples)]


@given(samples=st.integers(1, 60), seed=SEEDS, positions=st.lists(st.integers(0, 1000), min_size=1))
def test_only_the_position_decides(samples: int, seed: int, positions: list[int]) -> None:
    """Asked in whatever order, and however often."""
    told = {one: index_at(one, samples, seed, shuffle=True) for one in positions}
    assert [index_at(one, samples, seed, shuffle=True) for one in reversed(positions)] == [
        told[one] for one in reversed(positions)
    ]


def test_unshuffled_samples_come_as_they_are() -> None:
    assert [index_at(one, 3, 7, shuffle=False) for one in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_passes_and_seeds_have_orders_of_their_own() -> None:
    def order(seed: int, epoch: int) -> tuple[int, ...]:
        return tuple(index_at(epoch * 50 + one, 50, seed, shuffle=True) for one in range(50))

    assert len({order(seed, epoch) for seed in range(3) for epoch in range(3)}) == 9
