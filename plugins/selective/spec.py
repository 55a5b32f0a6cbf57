"""What `[memory]` says to `selective`."""

from __future__ import annotations

from tttdit.core.plugin.memory import LayeredTable


class SelectiveTable(LayeredTable):
    """`[memory]` with `plugin = "selective"`: one key for each region, which may name layers, and one for groups of layers."""
