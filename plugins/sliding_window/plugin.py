"""Announces the mixer `sliding-window`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer, Region
from tttdit.plugins.ttt.structure import surroundings

if TYPE_CHECKING:
    from tttdit.plugins.sliding_window.spec import SlidingWindowTable


def arguments(table: SlidingWindowTable, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    """The keywords of SlidingWindowMixer. Raises PluginError for a model that has no segments of frames."""
    return {**surroundings(table, dims, model_table), "neighbours": table.neighbours}


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    """Softmax attention of every segment to itself and to its neighbours."""
    return [
        Mixer(
            name="sliding-window",
            summary="Attention of every segment, text and frames, to itself and to its neighbours.",
            table="tttdit.plugins.sliding_window.spec:SlidingWindowTable",
            rules="tttdit.plugins.sliding_window.rules",
            module="tttdit.plugins.sliding_window.module:SlidingWindowMixer",
            arguments=arguments,
            parallel="tttdit.plugins.sliding_window.parallel.module:plan",
            regions=(
                Region(
                    key="sliding_window",
                    kind="switch",
                    meaning="Recompute the mixer's attention between its projections: norms, RoPE, windows, softmax, values.",
                ),
            ),
        )
    ]
