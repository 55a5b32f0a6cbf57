"""Where random numbers start: at a number that follows from what they are for, so that nothing of a generator need be kept.

A draw that is seeded by (seed, stage, step, ...) is the same in a run that was resumed, and does not depend on what was drawn before.
"""

from __future__ import annotations

from hashlib import blake2b


def seed_of(*parts: int | str) -> int:
    """A seed of 63 bits that these parts alone decide; parts that differ anywhere give seeds that have nothing to do with each other."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
