"""Announces the memory strategy `auto`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Memory
from tttdit.plugins.remat.strategy import strategy


@hookimpl
def tttdit_memory_strategies() -> list[Memory]:
    """What the planner finds, key by key."""
    return [
        Memory(
            name="auto",
            summary="Finds the keys that are left out: what fits the GPU with the least recomputation.",
            table="tttdit.plugins.auto.spec:AutoTable",
            strategy=strategy,
            planned=True,
        )
    ]
