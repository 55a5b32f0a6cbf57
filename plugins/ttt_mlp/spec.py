"""What `[model.mixer]` says to `ttt-mlp`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import Count
from tttdit.plugins.ttt.spec import TTTTable


class TTTMLPTable(TTTTable):
    """`[model.mixer]` with `plugin = "ttt-mlp"`."""

    mini_batch_size: Count = Field(
        default=64, description="Tokens in a mini-batch, after which the fast weights are updated."
    )
    base_learning_rate: float = Field(
        default=0.1,
        gt=0,
        le=1000,
        description="Learning rate of the inner loop; each token's own is this times a sigmoid, over K.",
    )
