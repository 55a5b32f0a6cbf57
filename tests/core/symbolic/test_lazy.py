"""A sequence that makes its items behaves as a list of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.symbolic.lazy import Lazy

LENGTHS = st.integers(0, 6)
PLACES = st.none() | st.integers(-9, 9)


class Squares(Lazy[int]):
    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def item(self, at: int) -> int:
        assert 0 <= at < self._length
        return at * at


@given(LENGTHS, PLACES, PLACES, st.none() | st.sampled_from([-2, -1, 1, 2, 3]))
def test_slices(length: int, start: int | None, stop: int | None, step: int | None) -> None:
    whole = [at * at for at in range(length)]
    assert list(Squares(length)) == whole
    assert list(Squares(length)[start:stop:step]) == whole[start:stop:step]


@given(LENGTHS, st.integers(-9, 9))
def test_single_items(length: int, at: int) -> None:
    if -length <= at < length:
        assert Squares(length)[at] == [number * number for number in range(length)][at]
    else:
        with pytest.raises(IndexError):
            Squares(length)[at]
