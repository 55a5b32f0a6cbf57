"""One training step of a stage on real tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from tttdit.core.plugin.kinds import Input
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.objective import training_loss
from tttdit.core.stage import Stage
from tttdit.core.stepping import Step, gradients_of, step_inputs, tensors_of, train_once


def real_step(
    stage: Stage, dtype: str = "float32", rod: Callable[[Iterable[torch.Tensor]], LiveBytes] = LiveBytes
) -> Step:
    """Builds the stage's model on the CPU and trains it once on random numbers, with the regions of its memory strategy.

    `rod` makes what counts, of the tensors that exist before the step. Raises what the modules raise.
    """
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(0)
        model = build_stage(stage, dtype=getattr(torch, dtype))
        tensors = tensors_of(model, lambda tensor: str(tensor.dtype).removeprefix("torch."))
        inputs = [random_input(each) for each in step_inputs(stage, dtype)]
        live = rod([*model.parameters(), *model.buffers(), *inputs])
        with live:
            train_once(_heard_by(live), model, inputs)
    return Step(tuple(live.log), tensors, gradients_of(model))


def _heard_by(live: LiveBytes) -> Callable[..., torch.Tensor]:
    """The objective, after which the rod knows that backward comes."""

    def loss(*arguments: Any) -> torch.Tensor:
        value = training_loss(*arguments)
        live.end_forward()
        return value

    return loss


def random_input(wanted: Input) -> torch.Tensor:
    """Random numbers, and zeros where indices are wanted: the least of every range."""
    dtype = getattr(torch, wanted.dtype)
    if not dtype.is_floating_point:
        return torch.zeros(wanted.shape, dtype=dtype)
    return torch.randn(wanted.shape, dtype=dtype)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small tensors: threads only get in each other's way."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
