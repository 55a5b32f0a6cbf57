"""Announces the memory strategy `regions`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Memory
from tttdit.plugins.remat.strategy import strategy


@hookimpl
def tttdit_memory_strategies() -> list[Memory]:
    """Each region by its own key."""
    return [
        Memory(
            name="regions",
            summary="Keeps or recomputes each region as its own key says.",
            table="tttdit.plugins.regions.spec:RegionsTable",
            strategy=strategy,
        )
    ]
