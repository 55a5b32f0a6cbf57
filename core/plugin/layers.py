"""Layers of a model as a spec writes them: `"0-17, 30"` are the first eighteen and the thirty-first."""

from __future__ import annotations

import re

_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?", re.ASCII)


def layers_of(text: str) -> frozenset[int] | None:
    """The layers, counted from 0; None where the text does not say any, or says a range backwards."""
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            return None
        first = int(match[1])
        last = int(match[2]) if match[2] is not None else first
        if last < first:
            return None
        found.update(range(first, last + 1))
    return frozenset(found)


def layers_text(first: int, last: int) -> str:
    """The layers from one to another, as a spec writes them."""
    return f"{first}-{last}" if last > first else f"{first}"
