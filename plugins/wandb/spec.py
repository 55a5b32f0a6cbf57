"""What `[logging]` says to `wandb`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tttdit.core.spec.tables import Count, PluginTable, Text


class WandbTable(PluginTable):
    """`[logging]` with `plugin = "wandb"`. The key of the account is wandb's own business: `wandb login`."""

    project: Text = Field(default="tttdit", description="Project that the run belongs to.")
    entity: Text | None = Field(default=None, description="User or team. Left out: the account's own.")
    mode: Literal["online", "offline"] = Field(
        default="online", description="Whether metrics are sent at once, or kept in the run's folder for `wandb sync`."
    )
    log_interval: Count = Field(default=1, description="Optimizer steps from one line to the next.")
