"""What `[memory]` says to `regions`."""

from __future__ import annotations

from tttdit.core.plugin.memory import MemoryTable


class RegionsTable(MemoryTable):
    """`[memory]` with `plugin = "regions"`: one key for each region that the model and the mixer declare."""
