"""What `[model.mixer]` says to `none`."""

from __future__ import annotations

from tttdit.core.spec.tables import PluginTable


class NoneTable(PluginTable):
    """`[model.mixer]` with `plugin = "none"`: it has no keys."""
