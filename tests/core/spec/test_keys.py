"""Keys as text and as paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.spec.keys import join, split


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (("video",), "video"),
        (("model", "mixer", "plugin"), "model.mixer.plugin"),
        (("optimizer", "betas", 1), "optimizer.betas[1]"),
        (("stage", 0, "video", "seconds"), "stage[0].video.seconds"),
        (("a b", "", "ä.c"), '"a b".""."ä.c"'),
    ],
)
def test_both_ways(path: tuple[str | int, ...], key: str) -> None:
    assert join(path) == key
    assert split(key) == path


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)


@given(TEXTS, st.lists(st.one_of(TEXTS, st.integers(0, 999_999_999)), max_size=4))
def test_every_path_comes_back(first: str, rest: list[str | int]) -> None:
    assert split(join((first, *rest))) == (first, *rest)


@pytest.mark.parametrize("key", ["a..b", ".a", "a.", "a b", "a.[1]", "a[x]", 'a"b"', "a=b"])
def test_no_key(key: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        split(key)
