"""Announces a mixer whose table is not where it says."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Mixer


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    return [
        Mixer(
            name="fast-mlp",
            summary="A faster MLP.",
            table="plugin:FastMLPTable",
            module="plugin:FastMLP",
        )
    ]
