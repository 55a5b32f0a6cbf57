"""Learning rates over a stage's steps."""

from __future__ import annotations

import math

from tttdit.core.spec.tables import OptimizerTable, Schedule, TrainingTable


def rates(optimizer: OptimizerTable, training: TrainingTable, step: int) -> tuple[float, float]:
    """The learning rates of the mixers' parameters and of the rest, for a step counted from 0."""
    return (
        _rate(optimizer.lr_mixer, optimizer.lr_end, optimizer.mixer_schedule, training, step),
        _rate(optimizer.lr, optimizer.lr_end, optimizer.schedule, training, step),
    )


def _rate(full: float, end: float, schedule: Schedule, training: TrainingTable, step: int) -> float:
    """Rises in equal steps from 0, which no step has, to the full rate; then falls to the end's, which a step behind the last has."""
    warmup = min(training.warmup_steps, training.steps)
    if step < warmup:
        return full * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(training.steps - warmup, 1)
    left = 1 - done if schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
    return end + (full - end) * left
