"""What `[model.mixer]` says to `whitening`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import PluginTable


class Table(PluginTable):
    """`[model.mixer]` with `plugin = "whitening"`."""

    whiten: bool = Field(default=False, description="Whether the projection is made orthogonal.")
