"""The measurement that predictions are held against: what one training step of a stage really takes on torch.

It is `tttdit.build_model` of the stage, `tttdit.training_loss`, and backward, counted by `tttdit.core.runtime.live_bytes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from attrs import frozen

from tttdit.core.runtime.fake_run import fake_run
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.proof.steps import real_step
from tttdit.core.stage import Stage
from tttdit.core.symbolic.storage import Operator


@frozen
class Measured:
    """Bytes that live in one training step: all that it creates, without parameters, buffers and inputs.

    `peak_operator` is the operator after which, or with the workspace of which, the most bytes lived; names are aten's.
    """

    saved_bytes: int  # when the loss has been computed
    peak_bytes: int
    peak_operator: str
    peak_forward_bytes: int
    peak_backward_bytes: int
    flops: int  # as `torch.utils.flop_counter` counts them; see core/runtime/flops.py
    operators: int


def measure(stage: Stage, dtype: str = "float32", *, without_data: bool = False) -> Measured:
    """Trains a stage's model once and counts; `dtype` is that of parameters and floating-point inputs.

    On real tensors on the CPU, custom operators' bodies run as part of the step. `without_data`, on fake CPU tensors, such an operator
    counts as one, and its body is run beside the step for its workspace, with every step of its loops: at full size that takes minutes.
    Raises what the modules raise; RuntimeError, in one line, for what fake tensors cannot follow.
    """
    if without_data:
        run = fake_run(stage, first_steps=None, dtype=getattr(torch, dtype))
        if run.error is not None:
            raise RuntimeError(run.error)
        return _measured(run.log, run.forward, run.saved_bytes)
    rods: list[LiveBytes] = []

    def rod(existing: Iterable[torch.Tensor]) -> LiveBytes:
        rods.append(LiveBytes(existing))
        return rods[0]

    step = real_step(stage, dtype, rod)
    return _measured(step.log, rods[0].forward or 0, rods[0].saved)


def _measured(log: Sequence[Operator], forward: int, saved: int) -> Measured:
    highest = max(log, key=lambda operator: operator.high)
    return Measured(
        saved_bytes=saved,
        peak_bytes=highest.high,
        peak_operator=highest.name,
        peak_forward_bytes=max(operator.high for operator in log[:forward]),
        peak_backward_bytes=max([saved, *(operator.high for operator in log[forward:])]),
        flops=sum(operator.flops for operator in log),
        operators=len(log),
    )
