"""The keys that may be `"auto"`, in the order in which they are solved for."""

from __future__ import annotations

from tttdit.core.solving.question import Unknown
from tttdit.core.spec.fields import LARGEST_COUNT
from tttdit.core.spec.sample_tables import TextTable


def unknowns(text: TextTable) -> tuple[Unknown, ...]:
    """Segments first, for the length of each depends on how many there are."""
    return (
        Unknown("S", "text.segments", LARGEST_COUNT, only=True),
        Unknown("T", "text.tokens_per_segment", text.max_tokens, "text.max_tokens"),
    )


def open_unknowns(text: TextTable) -> tuple[Unknown, ...]:
    """Those that the spec leaves open."""
    return tuple(unknown for unknown in unknowns(text) if getattr(text, unknown.key.rpartition(".")[2]) == "auto")
