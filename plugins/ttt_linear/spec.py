"""What `[model.mixer]` says to `ttt-linear`."""

from __future__ import annotations

from pydantic import Field

from tttdit.core.spec.tables import Count
from tttdit.plugins.ttt.spec import TTTTable


class TTTLinearTable(TTTTable):
    """`[model.mixer]` with `plugin = "ttt-linear"`."""

    mini_batch_size: Count = Field(
        default=16, description="Tokens in a mini-batch, after which the fast weights are updated."
    )
    base_learning_rate: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        description="Learning rate of the inner loop; each token's own is this times a sigmoid, over K.",
    )
