"""Formulas: canonical, exact, and the same as sympy's."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.symbolic.formula import Formula, Opaque

SYMBOLS = ("F", "h", "w", "S", "T")
F, h, w, S, T = (Formula.symbol(name) for name in SYMBOLS)


@st.composite
def pairs(draw, depth=3):
    """A formula and the same thing made by sympy."""
    kind = draw(st.sampled_from(["symbol", "number", "+", "-", "*", "/", "**"])) if depth else "symbol"
    if kind == "symbol":
        name = draw(st.sampled_from(SYMBOLS))
        return Formula.symbol(name), sympy.Symbol(name, integer=True, positive=True)
    if kind == "number":
        number = draw(st.integers(-9, 9))
        return Formula.number(number), sympy.Integer(number)
    left, sympy_left = draw(pairs(depth=depth - 1))
    if kind == "**":
        power = draw(st.integers(0, 3))
        return left**power, sympy_left**power
    right, sympy_right = draw(pairs(depth=depth - 1))
    if kind == "+":
        return left + right, sympy_left + sympy_right
    if kind == "-":
        return left - right, sympy_left - sympy_right
    if kind == "*":
        return left * right, sympy_left * sympy_right
    if not right:
        return left, sympy_left
    return left / right, sympy_left / sympy_right


@given(pairs())
def test_a_formula_is_what_sympy_says(pair):
    formula, expected = pair
    assert sympy.simplify(formula.sympy() - expected) == 0


@given(pairs(), st.lists(st.integers(1, 50), min_size=len(SYMBOLS), max_size=len(SYMBOLS)))
def test_its_value_is_sympys(pair, numbers):
    formula, expected = pair
    values = dict(zip(SYMBOLS, numbers, strict=True))
    try:
        value = formula.evaluate(values)
    except ZeroDivisionError:
        return
    wanted = expected.subs({sympy.Symbol(name, integer=True, positive=True): number for name, number in values.items()})
    if wanted.is_finite:
        assert Fraction(value) == Fraction(int(wanted.p), int(wanted.q))


@given(pairs(), pairs())
def test_equal_formulas_are_equal_objects(left, right):
    assert left[0] + right[0] == right[0] + left[0]
    assert hash(left[0] * right[0]) == hash(right[0] * left[0])
    assert (left[0] - left[0]) == Formula({})


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (F * h * w + S * T, "F*h*w + S*T"),
        (13 * h * w * S + T * S, "13*S*h*w + S*T"),
        ((F * h * w + S * T) / Formula.symbol("b"), "F*h*w/b + S*T/b"),
        (Formula.symbol("D") / Formula.symbol("A"), "D/A"),
        ((Formula.symbol("N") - 1) / 4 + 1, "N/4 + 3/4"),
        (S - 1, "S - 1"),
        (-S, "-S"),
        (F - F, "0"),
        (S**2, "S**2"),
        (F / (h * w), "F/(h*w)"),
        (S / (S + T), "(S)/(S + T)"),
    ],
)
def test_how_it_reads(formula, text):
    assert str(formula) == text


def test_divisions_cancel():
    A, D = Formula.symbol("A"), Formula.symbol("D")
    assert A * (D / A) == D
    assert (S * T - T) / (S - 1) == T
    assert (F * h * w + S * T) / (F * h * w + S * T) == Formula.number(1)


def test_a_factored_difference():
    assert (S * T - T).factored() == "T*(S - 1)"


def test_division_by_nothing():
    with pytest.raises(ZeroDivisionError, match="S divided by 0"):
        S / 0


def test_substitution():
    V = Formula.symbol("V")
    assert (V + S * T).substitute({"V": F * h * w}.get) == F * h * w + S * T


def test_rounding_up():
    rounded = Formula({((Opaque("ceil", F * h, S), 1),): 1})
    assert str(rounded) == "ceil(F*h/S)"
    assert rounded.evaluate({"F": 7, "h": 2, "S": 4}) == 4
    assert rounded.evaluate({"F": 6, "h": 2, "S": 4}) == 3
    assert str(rounded.sympy()) == "ceiling(F*h/S)"
