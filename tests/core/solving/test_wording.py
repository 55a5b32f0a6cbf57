"""Laws and solutions in words."""

import pytest

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import AtMost, Divisible, Equal, Law, Whole
from tttdit.core.solving.solutions import Solutions
from tttdit.core.solving.wording import classes, say
from tttdit.core.symbolic.formula import Formula, Number

L, b, F, S, T = (Dimensions.symbol(name) for name in "LbFST")


@pytest.fixture
def dims() -> Dimensions:
    dims = Dimensions()
    for symbol, value in {"F": 37, "S": 3, "T": None, "b": 1024}.items():
        dims.give(symbol, value, meaning="", keys=())
    dims.derive("L", F * 1350 + S * T, meaning="")
    return dims


@pytest.mark.parametrize(
    ("law", "asked", "text"),
    [
        (Divisible(L, b), "T", "L divisible by b = 1,024"),
        (Divisible(L, b), "b", "L divisible by b"),
        (Divisible(F, Formula.number(8)), "", "F divisible by 8"),
        (Equal(F, S * 12 + 1), "S", "12*S + 1 = F = 37"),
        (Equal(F, S * 12 + 1), "F", "12*S + 1 = F"),
        (AtMost(T, Formula.number(4096)), "T", "T at most 4,096"),
        (AtMost(S * T, L), "", "S*T at most L"),
        (Whole(L), "", "L whole"),
    ],
)
def test_a_law_as_a_clause(law: Law, asked: str, text: str, dims: Dimensions) -> None:
    assert say(law, dims, asked) == text


@pytest.mark.parametrize(
    ("residues", "step", "text"),
    [
        ((54,), 64, "T = 54 (mod 64)"),
        ((1, 3), 4, "T = 1, 3 (mod 4)"),
        ((480,), 1024, "T = 480 (mod 1,024)"),
        ((0,), 1, ""),
        (tuple(range(9)), 64, "T in 9 classes (mod 64)"),
    ],
)
def test_classes(residues: tuple[Number, ...], step: int, text: str) -> None:
    assert classes("T", Solutions(lowest=1, last=512, residues=residues, step=step)) == text


def test_what_is_listed_or_only_tried_has_no_classes() -> None:
    assert classes("T", Solutions(lowest=1, last=9, listed=(3,))) == ""
    assert classes("T", Solutions(lowest=1, last=9, step=4, tested=lambda value: value > 4)) == ""
