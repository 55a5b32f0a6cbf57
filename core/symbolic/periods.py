"""The record of a whole step, of a model whose layers are alike."""

from __future__ import annotations

from tttdit.core.stage import Stage
from tttdit.core.symbolic.stepping import Manner, record_step
from tttdit.core.symbolic.tape import Tape


def whole_step(stage: Stage, manner: Manner) -> Tape:
    """The record of one training step, with all layers."""
    return record_step(stage, manner)
