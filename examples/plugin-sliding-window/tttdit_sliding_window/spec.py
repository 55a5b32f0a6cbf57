"""What `[model.mixer]` says to `sliding-window`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tttdit.core.spec.tables import Dimension, PluginTable


class SlidingWindowTable(PluginTable):
    """`[model.mixer]` with `plugin = "sliding-window"`."""

    window: Dimension = Field(default=64, description="Tokens in a window; the sequence is a whole number of windows.")
    neighbours: Annotated[int, Field(ge=0, le=64)] = Field(
        default=1, description="How many windows to either side a window sees besides itself."
    )
