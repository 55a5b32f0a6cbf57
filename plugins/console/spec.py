"""What `[logging]` says to `console`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import Count, PluginTable


class ConsoleTable(PluginTable):
    """`[logging]` with `plugin = "console"`."""

    log_interval: Count = Field(default=50, description="Optimizer steps from one line to the next.")
