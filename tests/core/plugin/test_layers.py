"""Layers as a spec writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.plugin.layers import layers_of, layers_text


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("0", {0}),
        ("0-2", {0, 1, 2}),
        ("3-3", {3}),
        ("0-1, 5", {0, 1, 5}),
        ("5,0-1 ", {0, 1, 5}),
        ("1-3, 2-4", {1, 2, 3, 4}),
    ],
)
def test_ranges_and_single_layers(text: str, layers: set[int]) -> None:
    assert layers_of(text) == layers


@pytest.mark.parametrize("text", ["", " ", "all", "3-1", "-1", "1-", "1--2", "1;2", "1,,2", "1.5", "²", "9999999"])
def test_what_says_no_layers(text: str) -> None:
    assert layers_of(text) is None


@given(first=st.integers(0, 999), more=st.integers(0, 99))
def test_a_range_is_read_as_it_was_written(first: int, more: int) -> None:
    assert layers_of(layers_text(first, first + more)) == set(range(first, first + more + 1))
