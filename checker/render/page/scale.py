"""Ticks of an axis at round numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from attrs import frozen

GIB = 1024**3
MIB = 1024**2


@frozen
class Scale:
    """An axis from `low` to `high`, in bytes, FLOPs or whatever is counted; `log` tells whether equal steps are equal factors."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high one."""
        if self.log:
            return (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)


def linear(highest: float, unit: float, about: int = 6) -> Scale:
    """From 0 to a little beyond the highest, with ticks at 1, 2 or 5 times a power of ten of the unit."""
    highest = max(highest, 1.0)
    raw = highest / unit / about
    power = 10.0 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw) * unit
    high = highest * 1.06
    return Scale(0, high, tuple(number * step for number in range(floor(high / step) + 1)))


def logarithmic(values: Sequence[float], unit: float) -> Scale:
    """Around all values, with ticks at 1, 2 and 5 times the powers of ten of the unit."""
    low, high = max(min(values), 1.0) / 1.08, max(max(values), 1.0) * 1.08
    first, last = floor(log10(low / unit)), ceil(log10(high / unit))
    marks = [factor * 10.0**power * unit for power in range(first, last + 1) for factor in (1, 2, 5)]
    below = max((mark for mark in marks if mark <= low), default=low)
    above = min((mark for mark in marks if mark >= high), default=high)
    return Scale(below, above, tuple(mark for mark in marks if below <= mark <= above), log=True)


def unit_of(highest: float) -> tuple[int, str]:
    """The unit of an axis of bytes, and its name."""
    return (GIB, "GiB") if highest >= GIB / 10 else (MIB, "MiB")
