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
            summary="Latents that follow from their texts, of the spec's shapes, made up: for trying out a run without data.",
            table="tttdit.plugins.synthetic.spec:SyntheticTable",
            source="tttdit.plugins.synthetic.module:SyntheticSource",
            rules="tttdit.plugins.synthetic.rules",
        )
    ]
