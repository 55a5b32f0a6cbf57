"""Announces the logger `wandb`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Logger


@hookimpl
def tttdit_loggers() -> list[Logger]:
    """Weights & Biases."""
    return [
        Logger(
            name="wandb",
            summary="Sends metrics to Weights & Biases; needs the package wandb.",
            table="tttdit.plugins.wandb.spec:WandbTable",
            writer="tttdit.plugins.wandb.writer:WandbWriter",
        )
    ]
