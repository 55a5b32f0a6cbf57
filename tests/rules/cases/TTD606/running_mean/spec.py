"""What `[model.mixer]` says to `running-mean`."""

from __future__ import annotations

from tttdit.core.spec.tables import PluginTable


class Table(PluginTable):
    """`[model.mixer]` with `plugin = "running-mean"`."""
