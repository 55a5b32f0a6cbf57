"""Stages whose memory is not predicted, known by their tables alone: before anything is recorded."""

from __future__ import annotations

from tttdit.core.errors import Unpredicted
from tttdit.core.stage import Stage


def refuse(stage: Stage) -> None:
    """Raises Unpredicted, with the reason, for a stage without a training step, and for one whose step cannot be predicted."""
    if stage.only_samples:
        raise Unpredicted("the stage is for sampling, and memory is predicted of training steps only")
    refuse_tensor_parallel(stage)


def refuse_tensor_parallel(stage: Stage) -> None:
    """Raises Unpredicted for a mesh whose ranks also share the work on one sample."""
    ranks = stage.parallelism.tp_sharding
    if ranks > 1:
        raise Unpredicted(f"parallelism.tp_sharding is {ranks}, and a rank's memory is predicted for 1 only")
