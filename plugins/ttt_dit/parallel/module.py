"""How tensor-parallel ranks share the model: attention and mixer by heads, the MLP and the output projections by tokens.

The streams between are whole on every rank; what is not attention, mixer or MLP all ranks do alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch.distributed.tensor import Replicate, Shard
from torch.distributed.tensor.parallel import ParallelStyle, PrepareModuleInput

from tttdit.core.runtime.tensor_parallel.styles import HEADS, Heads, Tokens, Whole

if TYPE_CHECKING:
    from tttdit.plugins.ttt_dit.spec import TTTDiTTable

LAYER = "layers.*"
BLOCK = f"{LAYER}.seq_modeling_block"
PARTS = ("seq", "mlp")
WAYS, STREAMS = ("forward", "backward"), ("text", "video")


def plan(table: TTTDiTTable, memory: Any, mixer: Mapping[str, ParallelStyle]) -> dict[str, ParallelStyle]:
    """Of TTTVideoDiT, with `mixer`'s, whose paths are seen from the mixer.

    With `shard_transformer_inputs` what a group of layers takes is kept in shares along the sequence, and gathered inside the group.
    """
    styles: dict[str, ParallelStyle] = {
        "time_embed": Whole(),
        "patch_embedding": Whole(),
        **{f"{LAYER}.pre_{part}_layernorm": Whole() for part in PARTS},
        **{f"{LAYER}.pre_{part}_adaLN_modulation": Whole() for part in PARTS},
        BLOCK: Heads(takes_whole=True),
        **{f"{BLOCK}.{name}": Heads() for name in "qkv"},
        **{f"{BLOCK}.{name}_norm": Heads(of_all=True) for name in "qk"},
        f"{BLOCK}.o": Tokens(takes=HEADS),
        **{f"{BLOCK}.ssm.{path}".removesuffix("."): style for path, style in mixer.items()},
        f"{LAYER}.mlp": Tokens(),
        "transformer_norm": Whole(),
        "final_layer": Whole(),
    }
    if mixer:
        styles |= {f"{BLOCK}.{way}_ssm_gating_{stream}": Whole() for way in WAYS for stream in STREAMS}
    if memory.shard_transformer_inputs:
        styles["kept"] = PrepareModuleInput(input_layouts=Replicate(), desired_input_layouts=Shard(1))
        styles["gathered"] = PrepareModuleInput(
            input_layouts=Shard(1), desired_input_layouts=Replicate(), use_local_output=True
        )
    return styles
