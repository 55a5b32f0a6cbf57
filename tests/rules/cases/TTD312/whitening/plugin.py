"""Announces the mixer `whitening`."""

from __future__ import annotations

from typing import Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer


def arguments(table: Any, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    return {"width": dims["D"], "whiten": table.whiten}


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    return [
        Mixer(
            name="whitening",
            summary="Whitens the width with a singular value decomposition.",
            table="whitening.spec:Table",
            module="whitening.module:Module",
            arguments=arguments,
        )
    ]
