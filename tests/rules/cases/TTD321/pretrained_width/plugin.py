"""Announces the mixer `pretrained-width`."""

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
            name="pretrained-width",
            summary="A projection with pretrained weights, or without.",
            table="pretrained_width.spec:Table",
            module="pretrained_width.module:Module",
            rules="pretrained_width.rules",
            arguments=arguments,
        )
    ]
