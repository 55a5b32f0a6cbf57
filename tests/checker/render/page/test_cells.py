"""Rectangles of a treemap: their areas are the sizes, and they fill the box without overlap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.render.page.cells import Box, squarified

NEARLY = 1e-4  # of a pixel
SIZES = st.lists(st.integers(1, 10**6), min_size=1, max_size=40).map(lambda sizes: sorted(sizes, reverse=True))


@given(SIZES, st.integers(50, 2000), st.integers(50, 2000))
def test_areas_are_shares_of_the_box(sizes, width, height):
    boxes = squarified(sizes, Box(0, 0, width, height))
    assert len(boxes) == len(sizes)
    for size, box in zip(sizes, boxes, strict=True):
        assert box.width * box.height == pytest.approx(width * height * size / sum(sizes), rel=1e-4, abs=1e-4)
        assert box.x >= -NEARLY
        assert box.x + box.width <= width + NEARLY
        assert box.y >= -NEARLY
        assert box.y + box.height <= height + NEARLY


@given(SIZES)
def test_none_lies_on_another(sizes):
    boxes = squarified(sizes, Box(0, 0, 1000, 600))
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            beside = one.x + one.width <= other.x + NEARLY or other.x + other.width <= one.x + NEARLY
            below = one.y + one.height <= other.y + NEARLY or other.y + other.height <= one.y + NEARLY
            assert beside or below


def test_the_example_of_the_paper():
    boxes = squarified([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))
    assert [(round(box.width, 2), round(box.height, 2)) for box in boxes[:4]] == [
        (3, 2),
        (3, 2),
        (1.71, 2.33),
        (1.29, 2.33),
    ]


def test_nothing_has_no_rectangles():
    assert squarified([], Box(0, 0, 10, 10)) == []
