"""Laws: whether they hold, and which values make them hold."""

import pytest

from tttdit.core.dimensions import Dimensions
from tttdit.core.errors import Unresolved
from tttdit.core.laws import AtMost, Divisible, Equal, Whole, nearest, whole
from tttdit.core.symbolic.formula import Formula


def nine_seconds(**values: int | None) -> Dimensions:
    dims = Dimensions()
    given = {"F": 37, "h": 30, "w": 45, "S": 3, "T": 502, "b": 64, **values}
    for symbol, value in given.items():
        dims.give(symbol, value, meaning=symbol, keys=(f"keys.{symbol}",))
    dims.derive("V", dims.symbol("F") * dims.symbol("h") * dims.symbol("w"), meaning="video tokens")
    dims.derive("L", dims.symbol("V") + dims.symbol("S") * dims.symbol("T"), meaning="tokens")
    return dims


def whole_batches(dims: Dimensions) -> Divisible:
    return Divisible(dims.symbol("L"), dims.symbol("b"))


def windows(dims: Dimensions) -> Equal:
    return Equal(dims.symbol("F"), dims.symbol("S") * 12 + 1)


def test_what_holds() -> None:
    dims = nine_seconds()
    assert whole_batches(dims).holds(dims) is True
    assert whole_batches(dims).holds(dims, {"T": 500}) is False
    assert windows(dims).holds(dims, {"S": 4}) is False
    assert AtMost(dims.symbol("T"), Formula.number(512)).holds(dims) is True
    assert whole_batches(dims).holds(nine_seconds(T=None)) is None


def test_dimensions_that_others_give_are_whole() -> None:
    dims = nine_seconds()
    dims.derive("half", dims.symbol("S") / 2, meaning="")
    assert {str(law.formula): law.holds(dims) for law in whole(dims)} == {"V": True, "L": True, "half": False}
    assert Whole(dims.symbol("S") - 3).holds(dims) is False, "a length is at least 1"
    assert Whole(dims.symbol("L")).holds(nine_seconds(T=None)) is None


@pytest.mark.parametrize(("wanted", "found"), [(500, [374, 438, 502]), (1, [54, 118, 182]), (10_000, [374, 438, 502])])
def test_the_nearest(wanted: int, found: list[int]) -> None:
    assert nearest(range(54, 513, 64), wanted) == found


def test_what_follows_from_a_broken_quotient_is_no_value() -> None:
    dims = nine_seconds()
    dims.derive("half", dims.symbol("S") / 2, meaning="")
    dims.derive("twice", dims.symbol("half") * 2, meaning="")
    assert dims.exact("twice") == 3
    assert dims.value("twice") is None
    with pytest.raises(Unresolved):
        dims["twice"]


def test_what_follows_from_a_spoiled_value_is_no_value() -> None:
    dims = nine_seconds()
    dims.spoil("F")
    assert [symbol for symbol in dims if dims.value(symbol) is None] == ["F", "V", "L"]
    assert "L" in dims
    assert "n" not in dims
