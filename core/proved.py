"""What predictions have been held against, and found right: docs/accuracy.md has the figures."""

from __future__ import annotations

# The version that constraints.txt pins, and that docs/accuracy.md was measured with.
TORCH = "2.13.0"


def is_proved_on(version: str) -> bool:
    """Whether it is the same release, whatever it was built for: `2.13.0+cu130`."""
    return version.partition("+")[0] == TORCH
