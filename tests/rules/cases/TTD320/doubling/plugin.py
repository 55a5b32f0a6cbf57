"""Announces the mixer `doubling`."""

from __future__ import annotations

from typing import Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer


def arguments(table: Any, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    return {"width": dims["D"], "turned": table.turned}


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    return [
        Mixer(
            name="doubling",
            summary="Doubles what it hears, with an operator of its own.",
            table="doubling.spec:Table",
            module="doubling.module:Module",
            arguments=arguments,
        )
    ]
