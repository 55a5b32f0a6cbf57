"""Stages whose memory is not predicted, known by their tables alone: before anything is recorded."""

from __future__ import annotations

from tttdit.core.errors import Unpredicted
from tttdit.core.stage import Stage


def refuse(stage: Stage) -> None:
    """Raises Unpredicted, with the reason, for a stage without a training step."""
    if stage.only_samples:
        raise Unpredicted("the stage is for sampling, and memory is predicted of training steps only")
