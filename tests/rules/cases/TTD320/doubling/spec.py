"""What `[model.mixer]` says to `doubling`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import PluginTable


class Table(PluginTable):
    """`[model.mixer]` with `plugin = "doubling"`."""

    turned: bool = Field(default=False, description="Whether the operator keeps tokens next to each other.")
