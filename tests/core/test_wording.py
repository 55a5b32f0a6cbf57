"""Words about numbers."""

from fractions import Fraction

import pytest

from tttdit.core.dimensions import Dimensions
from tttdit.core.wording import either, spoken, worked


@pytest.fixture
def dims() -> Dimensions:
    dims = Dimensions()
    for symbol, value in (("S", 3), ("T", 502), ("V", 49_950), ("x", None)):
        dims.give(symbol, value, meaning="", keys=())
    dims.derive("L", dims.symbol("V") + dims.symbol("S") * dims.symbol("T"), meaning="")
    return dims


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("L = V + S*T", "L = V + S*T = 49,950 + 3*502 = 51,456"),
        ("L = V + S*x", "L = V + S*x = 49,950 + 3*x = 51,456"),
        ("L", "L = 51,456"),
        ("x", "x"),
        ("Q = 2*T", "Q = 2*T = 2*502"),
    ],
)
def test_worked(formula: str, text: str, dims: Dimensions) -> None:
    assert worked(formula, dims) == text


@pytest.mark.parametrize(
    ("value", "text"), [(51_456, "51,456"), (Fraction(241, 4), "60.25"), (Fraction(189, 5), "37.8")]
)
def test_spoken(value: int | Fraction, text: str) -> None:
    assert spoken(value) == text


@pytest.mark.parametrize(("values", "text"), [([], ""), ([5], "5"), ([5, 6], "5 or 6"), ([1, 2, 1000], "1, 2 or 1000")])
def test_either(values: list[int], text: str) -> None:
    assert either(values) == text


def test_either_writes_what_toml_reads() -> None:
    assert either([9, Fraction(48, 5)]) == "9 or 9.6"
