"""How much of what a file says a message repeats."""

from __future__ import annotations

LONGEST_SHOWN = 60


def short(text: str) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 4]} ..."
