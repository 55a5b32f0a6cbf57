"""Arithmetic progressions: what two have in common, what decimals can write, divisors."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.solving.progressions import Progression, divisors

steps = st.fractions(min_value=Fraction(1, 6), max_value=6, max_denominator=6)
residues = st.fractions(min_value=-6, max_value=6, max_denominator=6)


@given(residues, steps, residues, steps)
def test_what_two_have_in_common(first: Fraction, step: Fraction, second: Fraction, other: Fraction) -> None:
    one, two = Progression.of(first, step), Progression.of(second, other)
    both = one.meet(two)
    grid = [Fraction(k, 60) for k in range(-600, 2400)]
    assert [value for value in grid if value in one and value in two] == (
        [value for value in grid if both is not None and value in both]
    )


@given(residues, steps)
def test_decimals(residue: Fraction, step: Fraction) -> None:
    progression = Progression.of(residue, step)
    decimals = progression.decimals()
    for value in (Fraction(k, 180) for k in range(1, 1800)):
        writable = (10**6 * value).denominator == 1
        assert (value in progression and writable) == (decimals is not None and value in decimals)


@given(st.integers(1, 3000), st.integers(1, 4000))
def test_divisors(number: int, most: int) -> None:
    every = [value for value in range(1, number + 1) if number % value == 0]
    assert divisors(number) == every
    assert divisors(number, most) == [value for value in every if value <= most]
