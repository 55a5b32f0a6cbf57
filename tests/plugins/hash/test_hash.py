"""The text encoder `hash`."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.runtime.text import EncodedText
from tttdit.core.spec.tables import TextTable
from tttdit.plugins.hash.module import HashEncoder


def encode(text: str, length: int = 8, width: int = 20) -> EncodedText:
    table = TextTable(segments=1, tokens_per_segment=length, width=width, encoder="hash")
    return HashEncoder(table, Path(), torch.device("cpu")).encode(text, length)


def test_the_first_bits_of_a_word() -> None:
    """Written down, so that no other version of anything gives another embedding."""
    signs = "".join("+" if sign > 0 else "-" for sign in encode("dog").embeddings[0])
    assert signs == "+--+-+-+-++-+-++--+-"


@given(st.text(max_size=40), st.integers(1, 12), st.integers(1, 70))
def test_any_text_has_signs_and_then_zeros(text: str, length: int, width: int) -> None:
    encoded = encode(text, length, width)
    assert encoded.embeddings.shape == (length, width)
    assert bool((encoded.embeddings[: encoded.tokens].abs() == 1).all())
    assert bool((encoded.embeddings[encoded.tokens :] == 0).all())
    assert encoded.cut == 0 or encoded.tokens == length
    assert torch.equal(encode(text, length, width).embeddings, encoded.embeddings)


def test_words_are_told_apart_and_nothing_else() -> None:
    rows = encode("dog puppy seven", 3, 4096).embeddings
    for one, other in [*pairwise(rows), (rows[0], rows[2])]:
        assert abs(float((one * other).mean())) < 0.08  # five standard deviations of unrelated signs
    first, second = encode("A dog, a DOG").embeddings[[1, 4]]
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a dog", 2),
        ("it's 5 o'clock.", 8),
        ("<start_scene> a dog <end_scene>", 4),
        ("<Start_Scene>a dog<end_scene>", 4),
        ("<other_scene>", 3),
    ],
)
def test_tokens(text: str, tokens: int) -> None:
    assert encode(text, 20).tokens == tokens


def test_what_does_not_fit_is_cut_off_and_counted() -> None:
    encoded = encode("one two three four", 3)
    assert (encoded.tokens, encoded.cut) == (3, 1)
    assert torch.equal(encoded.embeddings, encode("one two three", 3).embeddings)
