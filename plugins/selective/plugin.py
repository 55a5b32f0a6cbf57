"""Announces the memory strategy `selective`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Memory
from tttdit.plugins.remat.strategy import strategy


@hookimpl
def tttdit_memory_strategies() -> list[Memory]:
    """Each region by its own key, layer by layer."""
    return [
        Memory(
            name="selective",
            summary="Keeps or recomputes each region as its own key says, in all layers or in some.",
            table="tttdit.plugins.selective.spec:SelectiveTable",
            strategy=strategy,
        )
    ]
