"""Integers that remember their formula."""

import pickle
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.symbolic.dimension import Dim, formula_of, listening
from tttdit.core.symbolic.formula import Formula

VALUES = {"F": 37, "h": 30, "w": 45, "S": 3, "T": 502, "b": 64}


def dim(name):
    return Dim(VALUES[name], Formula.symbol(name))


F, h, w, S, T, b = map(dim, VALUES)
L = F * h * w + S * T


def test_it_is_an_int_with_a_formula():
    assert L == 51_456
    assert isinstance(L, int)
    assert repr(L) == "F*h*w + S*T = 51456"
    assert f"{L}" == str(L) == "51456"
    assert {51_456: "found"}[L] == "found"
    assert list(range(S)) == [0, 1, 2]
    assert pickle.loads(pickle.dumps(L)) == L


@given(st.lists(st.tuples(st.sampled_from("+-*"), st.sampled_from(sorted(VALUES)), st.booleans()), max_size=90))
def test_value_and_formula_never_part(steps):
    result = S
    for operator, name, swapped in steps:
        other = dim(name) if swapped else VALUES[name]
        left, right = (other, result) if swapped else (result, other)
        result = {"+": left + right, "-": left - right, "*": left * right if abs(result) < 10**12 else left - right}[
            operator
        ]
    assert formula_of(result).evaluate(VALUES) == result


def test_an_exact_division_keeps_its_formula():
    assert repr(L // b) == "F*h*w/b + S*T/b = 804"
    assert (L // b) * b == L
    assert formula_of((L // b) * b) == formula_of(L)
    assert L % b == 0


def test_a_division_with_a_remainder_is_heard():
    told = []
    with listening(lambda dividend, divisor: told.append((repr(dividend), divisor))):
        assert L // 7 == 7350
        assert L // b == 804
    assert told == [("F*h*w + S*T = 51456", 7)]


def test_rounding_up_on_purpose_is_not_told():
    told = []
    with listening(lambda dividend, divisor: told.append(dividend)):
        groups = -(-L // 7)
        assert divmod(L, 7) == (7350, 6)
    assert groups == 7351
    assert told == []


@pytest.mark.parametrize("one", [1, Dim(1)])
def test_mixed_arithmetic(one):
    assert S + one == 4
    assert one - S == -2
    assert prod([S, T, one]) == 1506
    assert S * 0.5 == 1.5
    assert S / 2 == 1.5
    assert S**2 == 9
    assert repr(S**2) == "S**2 = 9"
    assert -S == -3
    assert max(S, T) is T
