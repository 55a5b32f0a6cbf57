"""How tensor-parallel ranks share the mixer: the attention by heads, the output projection and the gate by tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.distributed.tensor.parallel import ParallelStyle

from tttdit.core.runtime.tensor_parallel.styles import HEADS, Heads, Tokens

if TYPE_CHECKING:
    from tttdit_linear_attention.spec import LinearAttentionTable


def plan(table: LinearAttentionTable, memory: Any) -> dict[str, ParallelStyle]:
    """Of LinearAttentionMixer."""
    return {
        **{name: Heads(takes_whole=True) for name in "qkv"},
        "o": Tokens(takes=HEADS),
        "gate": Tokens(),
    }
