"""Axes with round numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.render.page.scale import GIB, linear, logarithmic


def test_ticks_are_round():
    assert [tick / GIB for tick in linear(33 * GIB, GIB).ticks] == [0, 10, 20, 30]
    assert [tick / GIB for tick in logarithmic([24 * GIB, 300 * GIB], GIB).ticks] == [20, 50, 100, 200, 500]


@given(st.floats(1, 1e14))
def test_what_is_shown_is_on_the_axis(value):
    scale = linear(value, GIB)
    assert 0 <= scale.share(value) <= 1
    assert 2 <= len(scale.ticks) <= 12


@given(st.lists(st.integers(1, 10**14), min_size=1))
def test_so_it_is_where_steps_are_factors(values):
    scale = logarithmic(values, GIB)
    assert all(0 <= scale.share(value) <= 1 for value in values)
    assert scale.share(min(values)) <= scale.share(max(values))


def test_shares_of_a_logarithmic_axis():
    scale = logarithmic([1.2 * GIB, 99 * GIB * 0.9], GIB)
    assert (scale.low, scale.high) == (GIB, 100 * GIB)
    assert scale.share(10 * GIB) == pytest.approx(0.5)
