"""Solving laws: the same answers as trying, and the reason where there is none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import AtMost, Divisible, Equal, Law
from tttdit.core.solving import solve
from tttdit.core.symbolic.formula import Formula

small = st.integers(-30, 30)


def table(value: int | None = None) -> Dimensions:
    dims = Dimensions()
    dims.give("x", value, meaning="the unknown", keys=("x",))
    dims.give("y", 7, meaning="another", keys=("y",))
    return dims


def line(slope: int, constant: int) -> Formula:
    return Dimensions.symbol("x") * slope + constant


@st.composite
def any_law(draw: st.DrawFn) -> Law:
    kind = draw(st.sampled_from(["divisible", "equal", "at most", "curved"]))
    left = line(draw(small), draw(small))
    if kind == "divisible":
        return Divisible(left, Formula.number(draw(st.integers(1, 24))))
    if kind == "equal":
        return Equal(left, line(draw(small), draw(small)))
    if kind == "at most":
        return AtMost(left, line(draw(small), draw(small)))
    return Divisible(Dimensions.symbol("x") ** 2 + draw(small), Formula.number(draw(st.integers(1, 12))))


laws = st.deferred(lambda: any_law().filter(lambda law: any("x" in side.symbols() for side in law.formulas())))


@given(st.lists(laws, max_size=4), st.integers(1, 200))
def test_the_largest_solution_is_the_one_that_trying_finds(laws: list[Law], last: int) -> None:
    dims = table()
    works = [x for x in range(1, last + 1) if all(law.holds(dims, {"x": x}) for law in laws)]
    solutions = solve(dims, laws, "x", last)
    assert solutions is not None
    assert solutions.largest == (works[-1] if works else None)


@given(st.lists(laws, max_size=3))
def test_the_smallest_solution_needs_no_limit(laws: list[Law]) -> None:
    dims = table()
    linear = [law for law in laws if isinstance(law, Divisible) and "x**2" not in str(law.dividend)]
    solutions = solve(dims, linear, "x", 1)
    assert solutions is not None
    works = next((x for x in range(1, 20_000) if all(law.holds(dims, {"x": x}) for law in linear)), None)
    assert solutions.smallest == works


def test_ten_million_candidates_take_no_time() -> None:
    solutions = solve(table(), [Divisible(line(3, 49_950), Formula.number(64))], "x", 10_000_000)
    assert solutions is not None
    assert (solutions.residue, solutions.step) == (54, 64)
    assert solutions.largest == 9_999_990


def test_an_open_value_says_nothing() -> None:
    dims = table()
    dims.give("z", None, meaning="open as well", keys=("z",))
    assert solve(dims, [Equal(line(1, 0), Dimensions.symbol("z"))], "x", 10) is None


def test_the_reason_for_nothing_is_in_numbers() -> None:
    odd = solve(table(), [Divisible(line(6, 49_951), Formula.number(64))], "x", 512)
    assert odd is not None
    assert odd.why_none == (
        "6 times anything leaves a multiple of 2 when divided by 64, and 49,951 leaves 1 when divided by 2"
    )
    between = solve(table(), [Equal(line(12, 1), Formula.number(38))], "x", 512)
    assert between is not None
    assert between.why_none == "x would be 3.08"
