"""What `[model.mixer]` says to `linear-attention`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import Dimension, PluginTable


class LinearAttentionTable(PluginTable):
    """`[model.mixer]` with `plugin = "linear-attention"`."""

    chunk: Dimension = Field(
        default=64, description="Tokens that see each other directly; the sequence is a whole number of chunks."
    )
