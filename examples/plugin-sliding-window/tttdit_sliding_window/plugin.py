"""Announces the mixer `sliding-window`: light, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tttdit import hookimpl
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Mixer, Region

if TYPE_CHECKING:
    from tttdit_sliding_window.spec import SlidingWindowTable

tttdit_hook_version = 1


def dimensions(table: SlidingWindowTable, dims: Dimensions) -> None:
    """window, and windows: how many of them the sequence has."""
    dims.give("window", table.window, meaning="tokens in a window", keys=("model.mixer.window",))
    dims.derive("windows", dims.symbol("L") / dims.symbol("window"), meaning="windows")


def arguments(table: SlidingWindowTable, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    """The keywords of SlidingWindowMixer."""
    return {
        "width": dims["D"],
        "heads": dims["A"],
        "length": dims["L"],
        "window": dims["window"],
        "neighbours": table.neighbours,
    }


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    """Attention in windows that see their neighbours."""
    return [
        Mixer(
            name="sliding-window",
            summary="Attention over windows of the sequence and their neighbours, with a gate.",
            table="tttdit_sliding_window.spec:SlidingWindowTable",
            module="tttdit_sliding_window.module:SlidingWindowMixer",
            rules="tttdit_sliding_window.rules",
            dimensions=dimensions,
            arguments=arguments,
            regions=(
                Region("sliding_window", "switch", "Recompute the attention of all windows: scores, softmax, values."),
            ),
        )
    ]
