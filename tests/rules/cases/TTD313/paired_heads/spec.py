"""What `[model.mixer]` says to `paired-heads`: nothing."""

from __future__ import annotations

from tttdit.core.spec.tables import PluginTable


class Table(PluginTable):
    """`[model.mixer]` with `plugin = "paired-heads"`."""
