"""Solving laws: the same answers as trying, and the reason where there is none."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import AtMost, Divisible, Equal, Law, Whole
from tttdit.core.solving.question import Question, Unknown
from tttdit.core.solving.solutions import Domain, Solutions
from tttdit.core.symbolic.formula import Formula

small = st.integers(-30, 30)
positive = st.integers(1, 24)


def table() -> Dimensions:
    dims = Dimensions()
    dims.give("x", None, meaning="the unknown", keys=("x",))
    dims.give("y", 7, meaning="another", keys=("y",))
    dims.give("t", None, meaning="open", keys=("t",))
    return dims


x, y, t = (Dimensions.symbol(name) for name in "xyt")


def answer(laws: list[Law], last: int, lowest: int = 1) -> Solutions:
    found = Question(table(), laws, "x").answer(Domain(lowest, last))
    assert found is not None
    return found


@st.composite
def linear(draw: st.DrawFn) -> Law:
    left = x * draw(small) + draw(small)
    kind = draw(st.sampled_from(["divisible", "equal", "at most"]))
    if kind == "divisible":
        return Divisible(left, Formula.number(draw(positive)))
    other = x * draw(small) + draw(small)
    return Equal(left, other) if kind == "equal" else AtMost(left, other)


@st.composite
def curved(draw: st.DrawFn) -> Law:
    """Polynomials with fractions, quotients of the unknown, sums below it, rounded parts."""
    shape = draw(st.sampled_from(["polynomial", "quotient", "mixed", "bound", "equal", "sum below", "floor", "whole"]))
    a, b, c = (draw(small) for _ in range(3))
    polynomial = x**2 * Fraction(a, draw(positive)) + x * Fraction(b, draw(positive)) + c
    by = Formula.number(draw(positive))
    if shape == "polynomial":
        return Divisible(polynomial, by)
    if shape == "quotient":
        return Divisible(Formula.number(abs(a) * 12), x * draw(st.integers(1, 3)))
    if shape == "mixed":
        return Divisible(polynomial + Formula.number(abs(c) * 6) / x, by)
    if shape == "bound":
        return AtMost(polynomial, y * draw(small))
    if shape == "equal":
        return Equal(x**2 * a + x * b, Formula.number(a * 16 + b * 4))
    if shape == "sum below":
        return Divisible(Formula.number(abs(a) * 12), x * draw(st.integers(0, 3)) + draw(st.integers(1, 9)))
    if shape == "floor":
        return Divisible(Formula.floor(x * abs(a), Formula.number(draw(positive))) + b, by)
    return Whole(polynomial)


def keeps(law: Law, value: int) -> bool:
    return law.holds(table(), {"x": value}) is True


def concerns(law: Law) -> bool:
    return any("x" in side.symbols() for side in law.formulas())


@settings(max_examples=150)
@given(st.lists(st.one_of(linear(), curved()).filter(concerns), max_size=4), st.integers(1, 150), st.integers(1, 20))
def test_the_answer_is_what_trying_finds(laws: list[Law], last: int, lowest: int) -> None:
    works = [value for value in range(lowest, last + 1) if all(keeps(law, value) for law in laws)]
    found = answer(laws, last, lowest)
    assert list(found.upwards(1)) == works
    assert list(found.downwards(last)) == works[::-1]
    assert (found.largest, found.smallest) == ((works[-1], works[0]) if works else (None, None))
    assert [value for value in range(1, last + 9) if value in found] == works
    for wanted in (1, 40, last):
        near = sorted(sorted(works, key=lambda value: (abs(value - wanted), -value))[:3])
        assert found.nearest(wanted) == near


@given(st.lists(linear().filter(concerns), max_size=3))
def test_the_smallest_beyond_a_limit(laws: list[Law]) -> None:
    divisible = [law for law in laws if isinstance(law, Divisible)]
    works = next((value for value in range(1, 20_000) if all(keeps(law, value) for law in divisible)), None)
    assert answer(divisible, 1).beyond(20_000).smallest == works


@settings(max_examples=60)
@given(st.lists(st.tuples(small, small, small, positive), min_size=1, max_size=2), st.integers(1, 40), positive)
def test_an_open_symbol_takes_what_it_needs(laws: list[tuple[int, int, int, int]], most: int, scale: int) -> None:
    """A value works if there is a t from 1 to `most` with which all holds."""
    divisible = [Divisible(x**2 * Fraction(a, scale) + t * b + c, Formula.number(d)) for a, b, c, d in laws]
    unknown = Unknown("t", "t", most)
    dims = table()
    found = Question(dims, divisible, "x", [unknown]).answer(Domain(1, 60))
    assert found is not None
    works = [
        value
        for value in range(1, 61)
        if any(all(law.holds(dims, {"x": value, "t": other}) for law in divisible) for other in range(1, most + 1))
        or not any(concerns(law) for law in divisible)
    ]
    assert list(found.upwards(1)) == works


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40), positive)
def test_an_open_symbol_that_an_equality_gives(a: int, c: int, last: int, by: int) -> None:
    dims, unknown = table(), Unknown("t", "t", last, only=True)
    laws: list[Law] = [Equal(x * a, t * c + 1), Divisible(x + t, Formula.number(by))]
    question = Question(dims, laws, "x", [unknown])
    found = question.answer(Domain(1, 100))
    assert found is not None
    pairs = {v: Fraction(a * v - 1, c) for v in range(1, 101)}
    works = [v for v, o in pairs.items() if o.denominator == 1 and 1 <= o <= last and (v + o) % by == 0]
    assert list(found.upwards(1)) == works
    assert all(question.settled(v)["t"] == pairs[v] for v in works)


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 12))
def test_decimal_fractions(rate: int, by: int, times: int) -> None:
    """rate * x + 1 frames, whole, one more than a multiple; only what can be written as a decimal counts."""
    domain = Domain(Fraction(1, 10**9), 20, whole=False)
    found = Question(table(), [Divisible(x * rate, Formula.number(by)), Whole(x * rate + times)], "x").answer(domain)
    assert found is not None
    grid = [Fraction(n, rate) for n in range(1, 20 * rate + 1)]
    works = [v for v in grid if v * rate % by == 0 and 10**12 % v.denominator == 0]
    assert list(found.upwards(0)) == works


def test_ten_million_candidates_take_no_time() -> None:
    found = answer([Divisible(x * 3 + 49_950, Formula.number(64))], 10_000_000)
    assert (found.residues, found.step) == ((54,), 64)
    assert found.largest == 9_999_990


def test_classes_of_a_polynomial() -> None:
    found = answer([Divisible(x**2 + 15, Formula.number(16))], 10_000_000)
    assert (found.residues, found.step) == ((1, 7), 8)


def test_divisors_of_a_large_number() -> None:
    found = answer([Divisible(Formula.number(2**40 * 3**5 * 1_000_003), x)], 100_000)
    assert found.listed is not None
    assert (found.largest, len(found.listed)) == (98_304, 79)


def test_an_open_value_says_nothing() -> None:
    assert Question(table(), [Equal(x, t)], "x").answer(Domain(1, 10)) is None


def test_the_reason_for_nothing_is_in_numbers() -> None:
    dims = table()
    dims.give("V", 49_951, meaning="video", keys=())
    dims.give("b", 64, meaning="batch", keys=())
    dims.derive("L", dims.symbol("V") + x * 6, meaning="length")

    def why(*laws: Law) -> str:
        found = Question(dims, laws, "x").answer(Domain(1, 512))
        assert found is not None
        assert found.largest is None
        return found.why_none

    length = dims.symbol("L")
    assert why(Divisible(length, dims.symbol("b"))) == (
        "6*x is even and V = 49,951 is odd, so L is odd, and b = 64 is even"
    )
    assert why(Divisible(length, Formula.number(27))) == (
        "6*x is a multiple of 3 and V = 49,951 is not (1 left over), so L is no multiple of 3, and 27 is one"
    )
    assert why(Equal(x * 12 + 1, Formula.number(38))) == "x would be 3.08"
    assert why(Divisible(x + 1, Formula.number(4)), Divisible(x, Formula.number(6))) == (
        "it would have to be 0 more than a multiple of 6 (x divisible by 6), "
        "and 3 more than one of 4 (x + 1 divisible by 4)"
    )
    assert why(Divisible(Formula.number(12), x), Divisible(x, Formula.number(5))) == (
        "none of those with x divisible by 5 keeps 12 divisible by x"
    )
