"""What `--budget` takes: bytes as people write them."""

from __future__ import annotations

import re
from fractions import Fraction

from tttdit.core.errors import UsageError

# Of ISO/IEC 80000-13 for powers of 1,024, of the SI for powers of 1,000.
_UNITS = {"b": 1, **{f"{name}b": 1000**power for power, name in enumerate("kmgt", 1)}}
_UNITS |= {f"{name}ib": 1024**power for power, name in enumerate("kmgt", 1)}
_TEXT = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*([A-Za-z]*)", re.ASCII)


def budget(text: str) -> int:
    """The bytes that a text such as `74GiB`, `80GB` or `74.5 GiB` says, rounded down. Raises UsageError for another."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise UsageError(f'--budget takes bytes such as 74GiB or 80GB, not "{text}"')
    number, unit = match.groups()
    if not unit:
        raise UsageError(f'--budget needs a unit: "{text}" may be {number}GiB or {number}GB')
    if unit.lower() not in _UNITS:
        raise UsageError(f'--budget knows no unit "{unit}"; write B, KiB, MiB, GiB, TiB, or KB, MB, GB, TB')
    found = int(Fraction(number) * _UNITS[unit.lower()])
    if found < 1:
        raise UsageError(f'--budget has to be at least one byte, not "{text}"')
    return found
