"""What `[model.mixer]` says to a TTT mixer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tttdit.core.spec.tables import Count, PluginTable


class TTTTable(PluginTable):
    """The keys that the TTT mixers share; each mixer has its own defaults."""

    mini_batch_size: Count = Field(description="Tokens in a mini-batch, after which the fast weights are updated.")
    base_learning_rate: float = Field(
        gt=0, le=1000, description="Learning rate of the inner loop; each token's own is this times a sigmoid, over K."
    )
    learning_rates: Literal["token", "upstream"] = Field(
        default="token",
        description='"token": every token has the learning rate computed from it; "upstream": as the public checkpoints were '
        "trained, where tokens of mini-batches that cross a segment's end get other tokens' rates.",
    )
    ttt_norm_eps: float = Field(
        default=1e-6, gt=0, le=1, description="Added to the variance in the norm inside the inner loop."
    )
