"""Laws: whether they hold, and which values make them hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.dimensions import Dimensions
from tttdit.core.errors import Unresolved
from tttdit.core.laws import AtMost, Divisible, Equal, nearest, prefer, solve
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


def test_solving_for_the_texts_length() -> None:
    dims = nine_seconds(T=None)
    assert solve(dims, [whole_batches(dims), windows(dims)], "T", range(400, 600)) == [438, 502, 566]


def test_laws_of_other_values_than_the_specs() -> None:
    dims = nine_seconds(T=None)
    assert solve(dims, [whole_batches(dims)], "T", range(1, 65), {"b": 16}) == [6, 22, 38, 54]


def test_laws_that_need_an_open_value_say_nothing_yet() -> None:
    dims = nine_seconds(S=None, T=None)
    assert solve(dims, [whole_batches(dims)], "T", range(1, 4)) == [1, 2, 3]


def test_a_law_that_another_key_breaks_does_not_hide_what_is_right_for_this_one() -> None:
    dims = nine_seconds(T=500)
    laws = [whole_batches(dims), windows(dims)]
    assert solve(dims, laws, "S", range(1, 6)) == []
    assert prefer(dims, [windows(dims)], laws, "S", range(1, 6)) == [3]


@given(F=st.integers(1, 60), S=st.integers(1, 9), b=st.integers(1, 90))
def test_solving_is_the_same_as_trying(F: int, S: int, b: int) -> None:
    dims = nine_seconds(F=F, S=S, b=b, T=None)
    tried = [T for T in range(1, 100) if (F * 30 * 45 + S * T) % b == 0]
    assert solve(dims, [whole_batches(dims)], "T", range(1, 100)) == tried


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
