"""What `[model.mixer]` says to `block-pooling`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import Dimension, PluginTable


class Table(PluginTable):
    """`[model.mixer]` with `plugin = "block-pooling"`."""

    block: Dimension = Field(default=64, description="Tokens in a block.")
