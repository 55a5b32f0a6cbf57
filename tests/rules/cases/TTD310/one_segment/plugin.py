"""Announces the mixer `one-segment`."""

from __future__ import annotations

from typing import Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer


def arguments(table: Any, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    return {
        "width": dims["D"],
        "positions": dims["F"] * dims["h"] * dims["w"],
        "text_tokens": dims["T"],
    }


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    return [
        Mixer(
            name="one-segment",
            summary="Takes one text segment for all of them.",
            table="one_segment.spec:Table",
            module="one_segment.module:Module",
            arguments=arguments,
        )
    ]
