"""What `[model.mixer]` says to `pretrained-width`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import PluginTable


class Table(PluginTable):
    """`[model.mixer]` with `plugin = "pretrained-width"`."""

    pretrained: bool = Field(default=False, description="Whether it starts from weights of width 3,072.")
