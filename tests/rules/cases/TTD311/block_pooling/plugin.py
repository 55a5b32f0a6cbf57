"""Announces the mixer `block-pooling`."""

from __future__ import annotations

from typing import Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer


def arguments(table: Any, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    return {
        "width": dims["D"],
        "tokens": dims["L"],
        "block": table.block,
    }


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    return [
        Mixer(
            name="block-pooling",
            summary="Every token hears the mean of its block.",
            table="block_pooling.spec:Table",
            module="block_pooling.module:Module",
            arguments=arguments,
        )
    ]
