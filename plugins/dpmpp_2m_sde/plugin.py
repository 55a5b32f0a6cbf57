"""Announces the sampler `dpmpp-2m-sde`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Sampler


@hookimpl
def tttdit_samplers() -> list[Sampler]:
    """The solver that CogVideoX samples with."""
    return [
        Sampler(
            name="dpmpp-2m-sde",
            summary="DPM-Solver++ (2M) SDE with classifier-free guidance that grows over the steps.",
            table="tttdit.plugins.dpmpp_2m_sde.spec:DPMSolverTable",
            module="tttdit.plugins.dpmpp_2m_sde.module:Solver",
            rules="tttdit.plugins.guidance.rules",
        )
    ]
