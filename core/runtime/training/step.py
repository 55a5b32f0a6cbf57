"""One optimizer step: its micro-steps, clipping, AdamW."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch
import torch.distributed as distributed
from attrs import frozen
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from tttdit.core.runtime.data.loading import Batch
from tttdit.core.runtime.objective import training_loss
from tttdit.core.runtime.training.averaging import Average
from tttdit.core.runtime.training.drawing import generator, levels, without_some_texts
from tttdit.core.runtime.training.optimizing import clip, gradient_norm, set_rates
from tttdit.core.runtime.training.stopping import Pause
from tttdit.core.runtime.training.world import World
from tttdit.core.stage import Stage


@frozen
class StepResult:
    """What one step did. `loss` is the mean over all samples of the step; both it and the norm are those of all ranks.

    Where `bad` names a tensor that was not finite the step was skipped: the weights are as before.
    """

    loss: float
    gradient_norm: float
    lr: float
    lr_mixer: float
    seconds: float
    data_seconds: float  # of them, waiting for samples
    bad: str | None = None
    bad_samples: tuple[str, ...] = ()


class Stepper:
    """Makes the steps of a stage."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        stage: Stage,
        world: World,
        average: Average | None,
    ) -> None:
        self._model, self._optimizer, self._stage, self._average = model, optimizer, stage, average
        self._world = world
        self._dtype: torch.dtype = getattr(torch, stage.parallelism.unsharded_dtype)
        self.data_rank, self.data_ranks = data_position(stage, world)
        self._parameters = [each for each in model.parameters() if each.requires_grad]
        self.changed: torch.cuda.Event | None = None  # on a GPU, when the last step's changes have been made

    def step(self, number: int, batches: Iterator[Batch], pause: Pause) -> StepResult:
        """The step of this number, counted from 0. Raises what the model and the data source raise."""
        began, waited = time.perf_counter(), 0.0
        micro_steps = self._stage.training.grad_accum_steps
        rate_of_mixers, rate = set_rates(self._optimizer, self._stage, number)
        total = torch.zeros((), device=self._world.device)
        bad_samples: list[str] = []
        for micro in range(micro_steps):
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            bad_samples += batch.skipped
            inputs = self.inputs(batch, number, micro)
            loss = training_loss(self._model, *inputs) / micro_steps
            loss.backward()
            total += loss.detach()
            del inputs, loss
        distributed.all_reduce(total)
        mean = float(total) / self._world.size
        norm = gradient_norm(self._parameters)
        length = float(norm.full_tensor() if isinstance(norm, DTensor) else norm)
        bad = None
        if not (math.isfinite(mean) and math.isfinite(length)):
            bad = self._first_bad(float(total))
        else:
            clip(self._parameters, self._stage.training.gradient_clipping_norm, norm)
        with pause.changing():
            if bad is None:
                self._optimizer.step()
                if self._average is not None:
                    self._average.follow()
                if self._world.device.type == "cuda":
                    self.changed = torch.cuda.current_stream().record_event()
            pause.finished = number + 1
        self._optimizer.zero_grad()
        spent = time.perf_counter() - began
        return StepResult(mean, length, rate, rate_of_mixers, spent, waited, bad, tuple(bad_samples))

    def inputs(self, batch: Batch, number: int, micro: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the objective takes behind the model: video, text, timestep, noise, of the type of the computation."""
        device, training, name = self._world.device, self._stage.training, self._stage.name
        video, text = (batch.tensors[each].to(device, self._dtype, non_blocking=True) for each in ("video", "text"))
        key = (training.seed, name, number, micro, self.data_rank)
        chance = generator(*key, "levels")
        timestep = levels(video.shape[0], self.data_rank, self.data_ranks, chance)
        text = without_some_texts(text, training.text_dropout, chance)
        noise = torch.randn(
            video.shape, dtype=self._dtype, device=device, generator=generator(*key, "noise", device=device)
        )
        torch.manual_seed(generator(*key, "model").initial_seed())  # whatever a module draws by itself, a dropout
        return video, text, timestep.to(device), noise

    def _first_bad(self, loss: float) -> str:
        """What was not finite first, on the first rank that has something: the loss, else a gradient; inputs are finite."""
        mine = "the loss" if not math.isfinite(loss) else next(self._bad_gradients(), None)
        every: list[str | None] = [None] * self._world.size
        distributed.all_gather_object(every, mine)
        found = [(rank, one) for rank, one in enumerate(every) if one is not None]
        if not found:
            return "the norm of all gradients"
        rank, name = found[0]
        return name if self._world.size == 1 else f"{name} on rank {rank}"

    def _bad_gradients(self) -> Iterator[str]:
        for name, each in self._model.named_parameters():
            if each.grad is not None and not bool(_local(each.grad).isfinite().all()):
                yield f"the gradient of {name}"


def data_position(stage: Stage, world: World) -> tuple[int, int]:
    """Which of the data-parallel ranks this is, and how many there are; tensor-parallel ranks, which are neighbours, share a sample."""
    tensor = stage.parallelism.tp_sharding
    return world.rank // tensor, world.size // tensor


def _local(tensor: Tensor) -> Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor
