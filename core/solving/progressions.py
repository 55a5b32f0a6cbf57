"""Arithmetic progressions over the fractions: what one linear law leaves of all numbers, and what two of them leave together."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

from attrs import frozen

from tttdit.core.symbolic.formula import Number


def plain(number: Number) -> Number:
    """The number as an int where it is whole."""
    return number.numerator if number.denominator == 1 else number


@frozen
class Progression:
    """The numbers `residue + step * k` for every whole k, with 0 <= residue < step."""

    residue: Number
    step: Number

    @classmethod
    def of(cls, residue: Number, step: Number) -> Progression:
        """The one through any of its numbers, with a step of either sign."""
        step = max(step, -step)
        return cls(plain(residue % step), plain(step))

    def __contains__(self, number: Number) -> bool:
        return (number - self.residue) % self.step == 0

    @property
    def denominator(self) -> int:
        """The least whole number that makes all its numbers whole."""
        return lcm(self.residue.denominator, self.step.denominator)

    def meet(self, other: Progression) -> Progression | None:
        """What both have, by the Chinese remainder theorem; None for nothing."""
        scale = lcm(self.denominator, other.denominator)
        residue, step = int(self.residue * scale), int(self.step * scale)
        theirs, their_step = int(other.residue * scale), int(other.step * scale)
        shared = gcd(step, their_step)
        if (theirs - residue) % shared:
            return None
        other_step = their_step // shared
        times = (theirs - residue) // shared * pow(step // shared, -1, other_step) if other_step > 1 else 0
        return Progression.of(Fraction(residue + step * times, scale), Fraction(step * other_step, scale))

    def decimals(self) -> Progression | None:
        """Those that a decimal fraction can write: whose denominators have no prime factors but 2 and 5."""
        tens = self.denominator
        while (factor := gcd(tens, 10)) > 1:
            tens //= factor
        return self.meet(Progression(0, Fraction(1, self.denominator // tens)))


WHOLE = Progression(0, 1)


def divisors(number: int, most: int | None = None) -> list[int]:
    """What divides a positive number, in order of size; with `most`, only up to it, which is quick however large the number is."""
    most = number if most is None else min(most, number)
    found, prime = [1], 2
    while prime <= most and number > 1:
        if prime * prime > number:
            prime = number  # what is left is one
            if prime > most:
                break
        powers = [1]
        while number % prime == 0:
            number //= prime
            powers.append(powers[-1] * prime)
        if len(powers) > 1:
            found = [value * power for value in found for power in powers if value * power <= most]
        prime += 1 if prime == 2 else 2
    return sorted(found)
