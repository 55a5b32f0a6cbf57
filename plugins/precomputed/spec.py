"""What `[data]` says to `precomputed`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tttdit.core.spec.tables import PluginTable, Text


class PrecomputedTable(PluginTable):
    """`[data]` with `plugin = "precomputed"`: samples whose latents and text embeddings stand in files."""

    manifest: Text = Field(
        description="JSON Lines file with one sample a line: its latents' file and its text embeddings' file."
    )
    folder: Text | None = Field(
        default=None, description="Folder that the manifest's paths are seen from. Left out: the manifest's own."
    )
    shuffle: bool = Field(default=True, description="Whether every pass through the samples has its own random order.")
    workers: Annotated[int, Field(ge=0, le=256)] = Field(
        default=2, description="Processes a rank that read samples ahead; 0: the training process reads them itself."
    )
