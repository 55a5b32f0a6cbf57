"""Words about numbers, for the messages of rules: values to choose from, formulas with their numbers, places that were written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from tttdit.core.findings import Related
from tttdit.core.symbolic.formula import Number

if TYPE_CHECKING:
    from tttdit.core.dimensions import Dimensions
    from tttdit.core.stage import Stage

_SYMBOL = re.compile(r"[A-Za-z_]\w*")
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_FLOPS = ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP")


def spoken(value: Number) -> str:
    """A number for people: `49,950`; not whole, `60.25`."""
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{float(value):,.4g}" if abs(value) < 1000 else f"{float(value):,.2f}"
    return f"{int(value):,}"


def writable(value: Number) -> int | float:
    """The number as TOML has it."""
    return int(value) if value.denominator == 1 else float(value)


def spoken_bytes(count: int, like: int | None = None) -> str:
    """A number of bytes in the largest unit that it fills, or that `like` fills: `44.10 GiB`, `512 B`."""
    most = abs(count if like is None else like)
    power = min(max(most.bit_length() - 1, 0) // 10, len(_BYTES) - 1)
    return f"{count / 1024**power:,.2f} {_BYTES[power]}" if power else f"{count:,} B"


def spoken_flops(count: int) -> str:
    """A number of floating-point operations: `1.23 PFLOP`."""
    power = min(max(len(str(count)) - 1, 0) // 3, len(_FLOPS) - 1)
    return f"{count / 1000**power:,.3g} {_FLOPS[power]}"


def plural(count: int, noun: str) -> str:
    """`shard` for one, `shards` for any other number."""
    return noun if count == 1 else f"{noun}s"


def either(values: Iterable[Number]) -> str:
    """`438, 502 or 566`, as a spec writes them: without thousands separators."""
    texts = [str(writable(value)) for value in values]
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


def written(stage: Stage, places: Mapping[str, str]) -> tuple[Related, ...]:
    """Related places, `{key: message}`, as far as the spec states these keys."""
    return tuple(Related(message, key) for key, message in places.items() if stage.wrote(key))
