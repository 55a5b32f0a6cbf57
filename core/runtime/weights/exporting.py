"""Weights of a run's checkpoint under the model's own names: what `tttdit export` writes."""

from __future__ import annotations

from attrs import frozen

from tttdit.core.errors import UsageError
from tttdit.core.runtime.weights.matching import Match
from tttdit.core.runtime.weights.reading import Source

MODEL, AVERAGE = "model.", "average."  # what begins the names of a checkpoint's tensors


@frozen
class Taken:
    """What is exported of a checkpoint, as `converting.convert` takes it; of `averaged` parameters the moving average."""

    match: Match
    averaged: int


def taken(source: Source, *, average: bool) -> Taken:
    """The weights that were trained last, or their moving average, and those that were not trained. Raises UsageError if there are none."""
    names = [name.removeprefix(MODEL) for name in source.tensors if name.startswith(MODEL)]
    if not names:
        raise UsageError(f"{source.path} has no weights of a model: it is no checkpoint of a run")
    averaged = {name for name in names if average and AVERAGE + name in source.tensors}
    if average and not averaged:
        raise UsageError(f"{source.path} has no average: training.average_decay makes one, and this run had none")
    of = {name: (AVERAGE if name in averaged else MODEL) + name for name in names}
    match = Match(project="tttdit", taken=of, new=(), missing=(), unexpected={}, mismatched=(), left_out={})
    return Taken(match, len(averaged))
