"""How tensor-parallel ranks share the sliding window: projections and attention by heads, the output projection by tokens."""

from __future__ import annotations

from typing import Any

from torch.distributed.tensor.parallel import ParallelStyle

from tttdit.core.runtime.tensor_parallel.styles import HEADS, Heads, Tokens


def plan(table: Any, memory: Any) -> dict[str, ParallelStyle]:
    """Of SlidingWindowMixer."""
    return {
        "": Heads(takes_whole=True),
        **{name: Heads() for name in "qkv"},
        "q_norm": Heads(of_all=True),
        "k_norm": Heads(of_all=True),
        "o": Tokens(takes=HEADS),
    }
