"""Announces the mixer `paired-heads`."""

from __future__ import annotations

from typing import Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer


def arguments(table: Any, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    return {"width": dims["D"], "heads": dims["A"]}


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    return [
        Mixer(
            name="paired-heads",
            summary="Heads that work in pairs.",
            table="paired_heads.spec:Table",
            module="paired_heads.module:Module",
            arguments=arguments,
        )
    ]
