"""Announces the data source `precomputed`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Data


@hookimpl
def tttdit_data_sources() -> list[Data]:
    """Latents and text embeddings that were computed beforehand."""
    return [
        Data(
            name="precomputed",
            summary="Latents and text embeddings from files that a manifest lists, one sample a line.",
            table="tttdit.plugins.precomputed.spec:PrecomputedTable",
            rules="tttdit.plugins.precomputed.rules",
            source="tttdit.plugins.precomputed.module:PrecomputedSource",
            inspect="tttdit.plugins.precomputed.inspecting:inspect",
            workers=lambda table: int(table.workers),
            shuffles=lambda table: bool(table.shuffle),
            skips_bad=lambda table: bool(table.bad_samples == "skip"),
        )
    ]
