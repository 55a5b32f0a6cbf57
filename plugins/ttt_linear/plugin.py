"""Announces the mixer `ttt-linear`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Mixer
from tttdit.plugins.ttt import structure


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    """The mixer with one fast weight matrix a head."""
    return [
        Mixer(
            name="ttt-linear",
            summary="Test-time training: one fast weight matrix a head (K x K), updated once a mini-batch.",
            table="tttdit.plugins.ttt_linear.spec:TTTLinearTable",
            rules=structure.RULES,
            module="tttdit.plugins.ttt_linear.module:TTTLinearMixer",
            dimensions=structure.dimensions,
            arguments=structure.arguments,
            regions=structure.REGIONS,
            parallel=structure.PARALLEL,
        )
    ]
