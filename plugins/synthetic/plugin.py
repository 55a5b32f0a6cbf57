"""Announces the data source `synthetic`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Data


@hookimpl
def tttdit_data_sources() -> list[Data]:
    """Samples that need no files."""
    return [
        Data(
            name="synthetic",
            summary="Random latents and text embeddings of the spec's shapes, for trying out a run without data.",
            table="tttdit.plugins.synthetic.spec:SyntheticTable",
            rules="tttdit.plugins.synthetic.rules",
        )
    ]
