"""How tensor-parallel ranks share a TTT mixer: projections, learning rates and the scan by heads, norm and output by tokens.

The scan's heads know nothing of each other: it needs no communication. The norm behind it is over all heads of a token. Tokens with some of
their heads become some tokens with all heads, one all-to-all; norm and output projection then work on shares of the sequence, and one
all-gather makes it whole. Gathering the heads instead, or summing the output projection's products, would hold the whole sequence two
times more and send it two times more.
"""

from __future__ import annotations

from typing import Any

from torch.distributed.tensor.parallel import ParallelStyle

from tttdit.core.runtime.tensor_parallel.styles import HEADS, TOKENS, Heads, Tokens


def plan(table: Any, memory: Any) -> dict[str, ParallelStyle]:
    """Of TTTMixer and whatever layer it has."""
    return {
        "ttt": Heads(takes_whole=True),
        "ttt.wq": Heads(),
        "ttt.wk": Heads(),
        "ttt.wv": Heads(),
        "ttt.post_norm": Tokens(takes=HEADS, leaves=TOKENS),
        "ttt.wo": Tokens(takes=TOKENS),
    }
