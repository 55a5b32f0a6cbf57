"""The settings that are worth having: no other takes fewer bytes without recomputing more."""

from __future__ import annotations

from collections.abc import Iterable

from tttdit.checker.memory.settings import Outlook


def front(outlooks: Iterable[Outlook]) -> tuple[Outlook, ...]:
    """The Pareto front of bytes against recomputation, from the fewest bytes to the least recomputation.

    Bytes are `total_bytes`. Of outlooks that are alike in both the first stays.
    """
    found: list[Outlook] = []
    for outlook in sorted(outlooks, key=lambda one: (one.total_bytes, one.recompute_flops)):
        if not found or outlook.recompute_flops < found[-1].recompute_flops:
            found.append(outlook)
    return tuple(found)
