"""The weights that videos are drawn with."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from torch import nn

from tttdit.core.runtime.weights.loading import load_checkpoint, load_weights


@frozen
class Fill:
    """Gives a model its weights, and puts one that is on meta on the CPU."""

    path: Path
    is_checkpoint: bool  # of a run; else whatever `load_weights` reads
    average: bool  # the moving average of a checkpoint

    def __call__(self, model: nn.Module) -> None:
        """Raises UsageError for weights of another model."""
        if self.is_checkpoint:
            load_checkpoint(model, self.path, average=self.average)
        else:
            load_weights(model, self.path)
