"""What `[data]` says to `precomputed`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tttdit.core.spec.tables import PluginTable, Text


class PrecomputedTable(PluginTable):
    """`[data]` with `plugin = "precomputed"`: samples whose latents and text embeddings stand in files.

    A line of the manifest is `{"latents": "a.safetensors", "text": "a-text.safetensors"}`. Files are `.safetensors` or `.pt`. Latents are
    [C, F, H, W], or a VAE's posterior [2C, F, H, W] (means, then log variances); text is [S, T, X], or a list of files with [T, X] each.
    """

    manifest: Text = Field(
        description="JSON Lines file with one sample a line: its latents' file and its text embeddings' file."
    )
    folder: Text | None = Field(
        default=None, description="Folder that the manifest's paths are seen from. Left out: the manifest's own."
    )
    outside_paths: bool = Field(
        default=False,
        description="Whether the manifest may name files that lie outside of that folder, or behind links that leave it.",
    )
    bad_samples: Literal["stop", "skip"] = Field(
        default="stop",
        description="What a sample that cannot be read, or does not fit, does to a run: it ends it, or the next sample takes its place.",
    )
    shuffle: bool = Field(default=True, description="Whether every pass through the samples has its own random order.")
    workers: Annotated[int, Field(ge=0, le=256)] = Field(
        default=2, description="Processes a rank that read samples ahead; 0: the training process reads them itself."
    )
