"""Formulas over derived symbols: shorter, and the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.memory.abbreviating import Abbreviations, product
from tttdit.core.symbolic.formula import Formula, Opaque

B, D, A, F, S, T, h, w, b = map(Formula.symbol, ("B", "D", "A", "F", "S", "T", "h", "w", "b"))
V = F * h * w


@pytest.fixture
def stage(nine_seconds):
    return nine_seconds()


@pytest.fixture
def known(stage):
    return Abbreviations(stage)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (2 * B * D * (V + S * T), "2*B*D*L"),
        (2 * B * D * V, "2*B*D*V"),
        (2 * B * D * S * T, "2*B*D*S*T"),
        (26 * B * D * S * h * w + 2 * B * D * S * T, "2*B*D*S*(13*h*w + T)"),
        (10 * V + 8 * S * T, "2*(4*L + V)"),
        (16 * D * D / A, "16*D*K"),
        ((V + S * T) / b, "n"),
        (Formula.number(8000), "8000"),
        (Formula({}), "0"),
        (13 * D * h * w / A + D * T / A, "K*(13*h*w + T)"),
    ],
)
def test_as_people_write_it(known, formula, text):
    assert known.text(formula) == text


def test_rounding_up_is_told_as_such(known):
    groups = -Formula.floor(-(V + S * T) / b, Formula.number(16))
    assert known.text(16 * B * D * groups) == "16*B*D*ceil(n/16)"
    assert known.value(known.shorten(groups)) == known.value(groups) == 51


def test_a_group_size_is_a_symbol_with_a_line_of_its_own(known):
    size = Formula.symbol("scan_checkpoint_group_size")
    groups = Formula({((Opaque("ceil", (V + S * T) / b, size), 1),): 1})
    assert known.text(groups) == "ceil(n/scan_checkpoint_group_size)"
    assert "memory.scan_checkpoint_group_size" in known.keys_of(groups)
    assert known.among([groups])["scan_checkpoint_group_size"] >= 1


MONOMIALS = st.dictionaries(st.sampled_from("BDFSThw"), st.integers(1, 2), max_size=5)
POLYNOMIALS = st.lists(st.tuples(MONOMIALS, st.integers(-9, 9)), max_size=6)


def polynomial(terms):
    total = Formula({})
    for powers, number in terms:
        term = Formula.number(number)
        for name, power in powers.items():
            term = term * Formula.symbol(name) ** power
        total = total + term
    return total


def test_expanding_gives_the_formula_back(stage):
    @given(POLYNOMIALS)
    def law(terms):
        formula = polynomial(terms)
        short = Abbreviations(stage).shorten(formula)
        assert stage.dims.expand(short) == formula
        assert stage.dims.evaluate(short) == stage.dims.evaluate(formula)

    law()


def test_the_common_factor_times_the_rest_is_the_formula():
    assert product(6 * B * D + 4 * B * S) == "2*B*(3*D + 2*S)"
    assert product(B + D) == "B + D"
    assert product(-2 * B * D - 4 * B) == "2*B*(-D - 2)"
