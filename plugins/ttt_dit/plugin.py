"""Announces the model `ttt-dit`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Model
from tttdit.plugins.ttt_dit.structure import REGIONS, arguments, dimensions, inputs, of_mixer, trains


@hookimpl
def tttdit_models() -> list[Model]:
    """CogVideoX's transformer with a global mixer after the local attention of every layer."""
    return [
        Model(
            name="ttt-dit",
            summary="CogVideoX's diffusion transformer: attention in windows, then a global mixer there and back.",
            table="tttdit.plugins.ttt_dit.spec:TTTDiTTable",
            rules="tttdit.plugins.ttt_dit.rules",
            module="tttdit.plugins.ttt_dit.module:TTTVideoDiT",
            dimensions=dimensions,
            arguments=arguments,
            inputs=inputs,
            regions=REGIONS,
            repeated="layers",
            trains=trains,
            of_mixer=of_mixer,
            weight_names="tttdit.plugins.ttt_dit.weights:NAMES",
            parallel="tttdit.plugins.ttt_dit.parallel.module:plan",
        )
    ]
