"""Many small numbers in one large integer, so that all of them are added, or compared, at once."""

from __future__ import annotations

from collections.abc import Iterable


class Packing:
    """Vectors of `length` numbers, each greater than -2^(bits - 2) and less than 2^(bits - 2), as sums of `unit`s.

    A sum holds its numbers in fields of `bits` bits, `width` in all; `zero` is the vector of zeros, `all` has every bit set. The top bit of
    a field stays free, which is how two vectors are compared: set in one, it is still there after the other has been subtracted exactly
    where no number is greater.
    """

    def __init__(self, length: int, bits: int) -> None:
        self._bits = bits
        self.width = bits * length
        self.all = (1 << self.width) - 1
        ones = sum(1 << (bits * at) for at in range(length))
        self.zero = ones << (bits - 2)
        self._tops = ones << (bits - 1)

    def unit(self, at: int) -> int:
        """What a vector grows by if its number at this place grows by one."""
        return 1 << (self._bits * at)

    def unpacked(self, vector: int) -> tuple[tuple[int, int], ...]:
        """Places and numbers of a vector, without the zeros."""
        field, zero = (1 << self._bits) - 1, 1 << (self._bits - 2)
        found = []
        differs = vector ^ self.zero
        while differs:
            at = ((differs & -differs).bit_length() - 1) // self._bits
            found.append((at, ((vector >> (self._bits * at)) & field) - zero))
            differs &= ~(field << (self._bits * at))
        return tuple(found)

    def is_within(self, vector: int, other: int) -> bool:
        """Whether no number of a vector is greater than the other's."""
        return ((other | self._tops) - vector) & self._tops == self._tops

    def highest(self, vectors: Iterable[int]) -> list[int]:
        """Those that are not within another, one of each; quick if the greater ones come first."""
        tops, kept = self._tops, list[int]()
        for vector in vectors:
            for other in kept:  # `is_within`, for whoever calls a million times
                if ((other | tops) - vector) & tops == tops:
                    break
            else:
                kept = [other for other in kept if not self.is_within(other, vector)]
                kept.append(vector)
        return kept
