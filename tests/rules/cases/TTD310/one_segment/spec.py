"""What `[model.mixer]` says to `one-segment`: nothing."""

from __future__ import annotations

from tttdit.core.spec.tables import PluginTable


class Table(PluginTable):
    """`[model.mixer]` with `plugin = "one-segment"`."""
