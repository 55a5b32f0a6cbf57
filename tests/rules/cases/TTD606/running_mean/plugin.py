"""Announces the mixer `running-mean`."""

from __future__ import annotations

from typing import Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer


def arguments(table: Any, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    return {"width": dims["D"]}


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    return [
        Mixer(
            name="running-mean",
            summary="Every token hears the mean of all before it.",
            table="running_mean.spec:Table",
            module="running_mean.module:Module",
            arguments=arguments,
        )
    ]
