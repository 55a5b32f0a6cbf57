"""The dimensions of `ttt-dit`, what its constructor and its forward take, and its regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Input, Region

if TYPE_CHECKING:
    from tttdit.plugins.ttt_dit.spec import TTTDiTTable

REGIONS = (
    Region(
        key="transformer_checkpoint_layer_group_size",
        kind="size",
        meaning="Layers in one recomputed group; 0: no layer is recomputed as a whole.",
        default=1,
        inside=("seq_modeling_block", "attention", "forward_ssm", "reverse_ssm", "mlp"),
        count="layers",
        group="layer_group",
        even=True,
    ),
    Region(
        key="attention",
        kind="switch",
        meaning="Recompute the local attention: windows, q k v, norms, RoPE, softmax, output projection.",
    ),
    Region(
        key="forward_ssm",
        kind="switch",
        meaning="Recompute the mixer's pass over the sequence, from its input to its output.",
    ),
    Region(
        key="reverse_ssm",
        kind="switch",
        meaning="Recompute the mixer's pass over the reversed sequence, from its input to its output.",
    ),
    Region(key="mlp", kind="switch", meaning="Recompute both linear layers of the MLP and the GELU between them."),
    Region(
        key="seq_modeling_block",
        kind="switch",
        meaning="Recompute the whole sequence block: attention, both passes of the mixer, and their gates.",
        inside=("attention", "forward_ssm", "reverse_ssm"),
    ),
    Region(
        key="shard_transformer_inputs",
        kind="switch",
        meaning="Keep the inputs of layer groups sharded over the tensor-parallel ranks; needs tp_sharding above 1.",
        is_region=False,
    ),
)


def dimensions(table: TTTDiTTable, dims: Dimensions) -> None:
    """The model's sizes, its token grid, and the lengths of its sequence."""
    dims.give("D", table.width, meaning="model width", keys=("model.width",))
    dims.give("A", table.heads, meaning="heads", keys=("model.heads",))
    dims.give("layers", table.layers, meaning="layers", keys=("model.layers",))
    dims.give("E", table.timestep_width, meaning="width of the timestep's embedding", keys=("model.timestep_width",))
    dims.give("p", table.patch_size, meaning="rows and columns of a patch", keys=("model.patch_size",))
    symbol = dims.symbol
    dims.derive("K", symbol("D") / symbol("A"), meaning="head width")
    dims.derive("h", symbol("H") / symbol("p"), meaning="rows of the token grid", atomic=True)
    dims.derive("w", symbol("W") / symbol("p"), meaning="columns of the token grid", atomic=True)
    dims.derive("V", symbol("F") * symbol("h") * symbol("w"), meaning="video tokens")
    dims.derive("L", symbol("V") + symbol("S") * symbol("T"), meaning="tokens in the sequence")


def arguments(table: TTTDiTTable, dims: Dimensions) -> dict[str, Any]:
    """The keywords of TTTVideoDiT."""
    return {
        "width": dims["D"],
        "heads": dims["A"],
        "layers": dims["layers"],
        "timestep_width": dims["E"],
        "text_width": dims["X"],
        "latent_channels": dims["C"],
        "patch_size": dims["p"],
        "latent_frames": dims["F"],
        "grid_height": dims["h"],
        "grid_width": dims["w"],
        "segments": dims["S"],
        "tokens_per_segment": dims["T"],
        "attention_frames": table.attention_frames,
        "prefix_frames": table.prefix_frames,
        "rope_theta": table.rope_theta,
        "norm_eps": table.norm_eps,
        "qk_norm_eps": table.qk_norm_eps,
    }


def inputs(table: TTTDiTTable, dims: Dimensions) -> dict[str, Input]:
    """What TTTVideoDiT's forward takes: latents [B, F, C, p h, p w], text [B, S, T, X], timestep [B] in 0 ... 999."""
    B, F, C, p = dims["B"], dims["F"], dims["C"], dims["p"]
    return {
        "video": Input((B, F, C, p * dims["h"], p * dims["w"]), "float32"),
        "text": Input((B, dims["S"], dims["T"], dims["X"]), "float32"),
        "timestep": Input((B,), "int64"),
    }


def trains(table: TTTDiTTable, name: str) -> bool:
    """Whether the adapter trains a parameter: "qkvo" means all of the sequence blocks, which are the attention, the mixer and its gates."""
    return table.adapter == "sft" or (table.adapter == "qkvo" and ".seq_modeling_block." in name)


def of_mixer(table: TTTDiTTable, name: str) -> bool:
    """Whether a parameter is a mixer's, or one of the gates behind it."""
    return ".seq_modeling_block.ssm." in name or "_ssm_gating_" in name
