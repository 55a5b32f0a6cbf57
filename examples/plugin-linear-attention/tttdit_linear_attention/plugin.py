"""Announces the mixer `linear-attention`: light, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer, Region

if TYPE_CHECKING:
    from tttdit_linear_attention.spec import LinearAttentionTable

tttdit_hook_version = 1


def dimensions(table: LinearAttentionTable, dims: Dimensions) -> None:
    """chunk, and chunks: how many of them the sequence has."""
    dims.give("chunk", table.chunk, meaning="tokens in a chunk", keys=("model.mixer.chunk",))
    dims.derive("chunks", dims.symbol("L") / dims.symbol("chunk"), meaning="chunks")


def arguments(table: LinearAttentionTable, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    """The keywords of LinearAttentionMixer."""
    return {"width": dims["D"], "heads": dims["A"], "length": dims["L"], "chunk": dims["chunk"]}


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    """Linear attention with a state that is carried over chunks."""
    return [
        Mixer(
            name="linear-attention",
            summary="Causal linear attention, chunk by chunk, with a gate.",
            table="tttdit_linear_attention.spec:LinearAttentionTable",
            module="tttdit_linear_attention.module:LinearAttentionMixer",
            rules="tttdit_linear_attention.rules",
            parallel="tttdit_linear_attention.parallel:plan",
            dimensions=dimensions,
            arguments=arguments,
            regions=(
                Region(
                    "linear_attention", "switch", "Recompute the attention of all chunks: features, states, scores."
                ),
            ),
        )
    ]
