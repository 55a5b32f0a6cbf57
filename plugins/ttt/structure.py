"""What mixers announce alike: where they stand in the model; of the TTT mixers dimensions, constructor arguments and the scan's region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tttdit.core.dimensions import Dimensions
from tttdit.core.errors import PluginError
from tttdit.core.plugin.kinds import Region

if TYPE_CHECKING:
    from tttdit.core.spec.tables import PluginTable
    from tttdit.plugins.ttt.spec import TTTTable

RULES = "tttdit.plugins.ttt.rules"
PARALLEL = "tttdit.plugins.ttt.parallel.module:plan"

REGIONS = (
    Region(
        key="scan_checkpoint_group_size",
        kind="size",
        meaning="Mini-batches of the TTT scan whose steps are kept at once in backward; fast weights are saved at the groups' "
        "boundaries. More than there are: one group.",
        default=16,
        count="n",
    ),
)

# What a mixer has to know of the model that it sits in: how frames are cut into segments, and where RoPE and the norms stand.
_FROM_MODEL = ("attention_frames", "prefix_frames", "rope_theta", "norm_eps")


def dimensions(table: TTTTable, dims: Dimensions) -> None:
    """b, the mini-batch, and n, how many of them the sequence has."""
    dims.give("b", table.mini_batch_size, meaning="tokens in a mini-batch", keys=("model.mixer.mini_batch_size",))
    dims.derive("n", dims.symbol("L") / dims.symbol("b"), meaning="mini-batches")


def arguments(table: TTTTable, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    """The keywords of TTTMLPMixer and TTTLinearMixer. Raises PluginError for a model that has no segments of frames."""
    return {
        **surroundings(table, dims, model_table),
        "mini_batch_size": dims["b"],
        "base_learning_rate": table.base_learning_rate,
        "learning_rates": table.learning_rates,
        "ttt_norm_eps": table.ttt_norm_eps,
    }


def surroundings(table: PluginTable, dims: Dimensions, model_table: Any) -> dict[str, Any]:
    """The keywords that say where a mixer stands: widths, geometry, positions, norms. Raises PluginError for a model without segments."""
    missing = [name for name in _FROM_MODEL if not hasattr(model_table, name)]
    if missing:
        raise PluginError(
            f'the mixer "{table.plugin}" needs a model whose table states {", ".join(missing)}; "{model_table.plugin}" does not'
        )
    return {
        "width": dims["D"],
        "heads": dims["A"],
        "latent_frames": dims["F"],
        "grid_height": dims["h"],
        "grid_width": dims["w"],
        "segments": dims["S"],
        "tokens_per_segment": dims["T"],
        **{name: getattr(model_table, name) for name in _FROM_MODEL},
    }
