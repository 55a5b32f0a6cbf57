"""What `[model.mixer]` says to `sliding-window`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tttdit.core.spec.tables import PluginTable


class SlidingWindowTable(PluginTable):
    """`[model.mixer]` with `plugin = "sliding-window"`."""

    neighbours: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=1,
        description="Segments to either side that a segment sees besides itself; where fewer exist, those that do.",
    )
