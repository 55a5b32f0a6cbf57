"""Announces the mixer `ttt-mlp`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Mixer
from tttdit.plugins.ttt import structure


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    """The mixer with two-layer fast weights."""
    return [
        Mixer(
            name="ttt-mlp",
            summary="Test-time training: two-layer fast weights (K to 4K to K), updated once a mini-batch.",
            table="tttdit.plugins.ttt_mlp.spec:TTTMLPTable",
            rules=structure.RULES,
            module="tttdit.plugins.ttt_mlp.module:TTTMLPMixer",
            dimensions=structure.dimensions,
            arguments=structure.arguments,
            regions=structure.REGIONS,
            parallel=structure.PARALLEL,
        )
    ]
