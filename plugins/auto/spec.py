"""What `[memory]` says to `auto`."""

from __future__ import annotations

from tttdit.core.plugin.memory import MemoryTable


class AutoTable(MemoryTable):
    """`[memory]` with `plugin = "auto"`: one key for each region that the model and the mixer declare; what is left out is found."""
