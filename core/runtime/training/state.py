"""What a checkpoint holds of a run between two steps: flat dictionaries of tensors by the parameters' names.

There is nothing of random number generators in it, for every draw is seeded by the step that it is for.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from tttdit.core.runtime.training.averaging import Average

MOMENTS = ("exp_avg", "exp_avg_sq")  # AdamW's


class TrainingState:
    """A model's tensors, AdamW's state of those that are trained, and the moving average where there is one.

    Made between two steps, it can be asked at any time: while a step is at work FSDP2 shows whole parameters in the place of shards, and
    another thread that asked the model would see those.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.average: Average | None = None
        self._model: Mapping[str, Tensor] = dict(model.state_dict())
        self._trained = {name: each for name, each in model.named_parameters() if each.requires_grad}
        self._optimizer = optimizer
        self._buffers = [*model.buffers()]

    @property
    def model(self) -> dict[str, Mapping[str, Tensor]]:
        """The model's tensors alone, as the part of a checkpoint that they are."""
        return {"model": self._model}

    @property
    def parts(self) -> dict[str, Mapping[str, Tensor]]:
        """All tensors of a checkpoint, not copied."""
        moments = {
            f"{moment}.{name}": self._optimizer.state[each][moment]
            for name, each in self._trained.items()
            if each in self._optimizer.state
            for moment in MOMENTS
        }
        average = {"average": self.average.tensors} if self.average is not None else {}
        return {**self.model, "optimizer": moments, **average}

    @property
    def all_tensors(self) -> list[Tensor]:
        """What stands between two steps, of each DTensor the part that this rank has; steps' counts too."""
        standing = [*self._trained.values(), *(each for part in self.parts.values() for each in part.values())]
        counts = [state["step"] for state in self._optimizer.state.values()]
        return [each.to_local() if isinstance(each, DTensor) else each for each in (*standing, *counts, *self._buffers)]

    @property
    def optimizer_steps(self) -> dict[str, float]:
        """AdamW's count of steps for every parameter that it has a state of: those that have had a gradient."""
        state = self._optimizer.state
        return {name: float(state[each]["step"]) for name, each in self._trained.items() if each in state}

    def make_optimizer_state(self, steps: Mapping[str, float]) -> None:
        """Gives the optimizer the state that these parameters need, to load a checkpoint into (torch/optim/adam.py, `_init_group`)."""
        for name, each in self._trained.items():
            if name in steps:
                self._optimizer.state[each] = {
                    "step": torch.tensor(steps[name], dtype=torch.float32),
                    **{moment: torch.zeros_like(each, memory_format=torch.preserve_format) for moment in MOMENTS},
                }
