"""Words about numbers, for the messages of rules: values to choose from, formulas with their numbers, places that were written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from math import isqrt
from typing import TYPE_CHECKING

from tttdit.core.findings import Related
from tttdit.core.symbolic.formula import Number

if TYPE_CHECKING:
    from tttdit.core.dimensions import Dimensions
    from tttdit.core.stage import Stage

_SYMBOL = re.compile(r"[A-Za-z_]\w*")


def spoken(value: Number) -> str:
    """A number for people: `49,950`; not whole, `60.25`."""
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{float(value):,.4g}" if abs(value) < 1000 else f"{float(value):,.2f}"
    return f"{int(value):,}"


def either(values: Iterable[Number]) -> str:
    """`438, 502 or 566`, as a spec writes them: without thousands separators."""
    texts = [str(value) for value in values]
    return f"{', '.join(texts[:-1])} or {texts[-1]}" if len(texts) > 1 else "".join(texts)


def worked(formula: str, dims: Dimensions) -> str:
    """A formula as its author writes it, then with numbers, then its symbol's value.

    `worked("L = V + S*T", dims)` is `L = V + S*T = 49,950 + 3*502 = 51,456`, `worked("N", dims)` is `N = 145`. A symbol without a
    value stays as it is.
    """
    symbol, _, right = formula.partition(" = ")
    right = right or symbol

    def number(match: re.Match[str]) -> str:
        value = dims.exact(match[0]) if match[0] in dims else None
        return match[0] if value is None else spoken(value)

    numbers = _SYMBOL.sub(number, right)
    value = dims.exact(symbol) if symbol in dims else None
    parts = [symbol, right, numbers]
    if value is not None and spoken(value) != numbers:
        parts.append(spoken(value))
    return " = ".join(dict.fromkeys(parts))


def progression(symbol: str, values: list[int]) -> str | None:
    """`T = 54 (mod 64)` for values that are evenly spaced; None for others, or fewer than three, or all numbers."""
    steps = {second - first for first, second in pairwise(values)}
    if len(values) < 3 or len(steps) != 1 or steps == {1}:
        return None
    (step,) = steps
    return f"{symbol} = {values[0] % step} (mod {step})"


def written(stage: Stage, places: Mapping[str, str]) -> tuple[Related, ...]:
    """Related places, `{key: message}`, as far as the spec states these keys."""
    return tuple(Related(message, key) for key, message in places.items() if stage.wrote(key))


def divisors(number: int) -> list[int]:
    """What divides a number, in order of size."""
    small = [value for value in range(1, isqrt(number) + 1) if number % value == 0]
    return sorted({*small, *(number // value for value in small)})
