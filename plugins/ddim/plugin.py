"""Announces the sampler `ddim`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Sampler


@hookimpl
def tttdit_samplers() -> list[Sampler]:
    """The solver without fresh noise."""
    return [
        Sampler(
            name="ddim",
            summary="DDIM with classifier-free guidance: without fresh noise, so that a seed is one start.",
            table="tttdit.plugins.ddim.spec:DDIMTable",
            module="tttdit.plugins.ddim.module:Solver",
            rules="tttdit.plugins.guidance.rules",
        )
    ]
