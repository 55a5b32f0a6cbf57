"""What is said about two lengths that differ."""

from __future__ import annotations

import pytest

from tttdit.checker.mismatch import explain
from tttdit.core.dimensions import Dimensions
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula


@pytest.fixture
def dims() -> Dimensions:
    """Nine seconds."""
    dims = Dimensions()
    symbol = dims.symbol
    for name, value, meaning in (
        ("S", 3, "text segments"),
        ("T", 502, "tokens in a text segment"),
        ("F", 37, "latent frames"),
        ("h", 30, "rows of the token grid"),
        ("w", 45, "columns of the token grid"),
        ("D", 3072, "model width"),
        ("A", 48, "heads"),
    ):
        dims.give(name, value, meaning=meaning, keys=(name,))
    dims.derive("V", symbol("F") * symbol("h") * symbol("w"), meaning="video tokens")
    dims.derive("L", symbol("V") + symbol("S") * symbol("T"), meaning="tokens in the sequence")
    dims.derive("K", symbol("D") / symbol("A"), meaning="head width")
    return dims


def test_the_famous_one(dims: Dimensions) -> None:
    """Whoever takes one text segment off the sequence, where there are three, expects more video tokens than RoPE has."""
    assert explain(dims["V"], dims["L"] - dims["T"], dims) == (
        "F*h*w = 49,950 (video tokens) against F*h*w + S*T - T = 50,954; they differ by 1,004 = T*(S - 1): "
        "from L, one text segment was subtracted instead of 3"
    )


def test_it_does_not_matter_which_side_is_right(dims: Dimensions) -> None:
    assert explain(dims["L"] - 2 * dims["T"], dims["V"], dims) == (
        "F*h*w + S*T - 2*T = 50,452 against F*h*w = 49,950 (video tokens); they differ by 502 = T*(S - 2): "
        "from L, 2 text segments were subtracted instead of 3"
    )


def test_one_segment_added_for_all(dims: Dimensions) -> None:
    assert explain(dims["V"] + dims["T"], dims["L"], dims).endswith(
        "they differ by 1,004 = T*(S - 1): to V, one text segment was added instead of 3"
    )


def test_too_many_subtracted(dims: Dimensions) -> None:
    assert explain(dims["L"] - 4 * dims["T"], dims["V"], dims).endswith(
        "they differ by 502 = -T*(S - 4): from L, 4 text segments were subtracted instead of 3"
    )


def test_a_count_without_a_name_for_the_whole(dims: Dimensions) -> None:
    assert explain(dims["V"], dims["h"] * dims["w"], dims).endswith(
        "they differ by 48,600 = h*w*(F - 1): one latent frame was counted instead of F = 37"
    )


def test_heads_not_split(dims: Dimensions) -> None:
    assert explain(dims["D"], dims["K"], dims) == (
        "D = 3,072 (model width) against D/A = 64 (head width); they differ by 3,008 = D*(A - 1)/A: D is A = 48 times D/A"
    )


def test_nothing_is_made_up(dims: Dimensions) -> None:
    assert explain(dims["F"], dims["F"] - 1, dims) == "F = 37 (latent frames) against F - 1 = 36; they differ by 1"
    assert explain(dims["D"], 5, dims) == "D = 3,072 (model width) against 5; they differ by 3,067 = D - 5"
    assert explain(7, 5, dims) == "7 against 5; they differ by 2"


def test_symbols_that_the_stage_does_not_have(dims: Dimensions) -> None:
    other = Dim(9, Formula.symbol("q") * 3)
    assert explain(other, dims["F"], dims) == "3*q = 9 against F = 37 (latent frames); they differ by 28 = F - 3*q"
