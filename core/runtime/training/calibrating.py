"""Two steps of a stage, measured component by component: what people send in, so that predictions can be held against their GPUs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from attrs import frozen

from tttdit.core.runtime.objective import training_loss
from tttdit.core.runtime.proof.rank import measured_step
from tttdit.core.runtime.proof.steps import random_input
from tttdit.core.runtime.sharding import mesh_of
from tttdit.core.runtime.training.optimizing import adamw, clip, gradient_norm
from tttdit.core.runtime.training.starting import spread_model
from tttdit.core.runtime.training.world import World
from tttdit.core.stage import Stage
from tttdit.core.stepping import step_inputs


@frozen
class Component:
    """Bytes of one rank's step; the words are those of docs/memory.md."""

    measured: int
    predicted: int | None

    @property
    def difference(self) -> float | None:
        """Of measured from predicted, as a share of predicted."""
        return self.measured / self.predicted - 1 if self.predicted else None


def calibrate(stage: Stage, world: World, predicted: Mapping[str, int]) -> dict[str, Component]:
    """Each component of the second step, beside what was predicted of it. All ranks must call it.

    On the CPU bytes are counted operator by operator, gradients that meet out of place; on a GPU they are what CUDA's allocator says.
    """
    measured = _on_cpu(stage) if world.device.type == "cpu" else _on_gpu(stage, world)
    return {name: Component(count, predicted.get(name)) for name, count in measured.items()}


def _on_cpu(stage: Stage) -> dict[str, int]:
    step = measured_step(stage)
    return {
        "parameters": step.parameters,
        "gradients": step.gradients,
        "optimizer": step.optimizer,
        "peak_bytes": max(each.high for each in step.log) - step.standing,
    }


def _on_gpu(stage: Stage, world: World) -> dict[str, int]:
    """What the allocator holds for tensors, rounded as it does; `outside_bytes` is what the GPU has lost beside it, to whomever."""
    held = torch.cuda.memory_allocated
    start = held()
    model = spread_model(stage, mesh_of(stage.parallelism, world.device.type), world.device)
    standing = held() - start
    optimizer = adamw(model, stage)
    parameters = [each for each in model.parameters() if each.requires_grad]
    inputs = [random_input(each).to(world.device) for each in step_inputs(stage, stage.parallelism.unsharded_dtype)]
    for number in range(2):
        before = held()
        torch.cuda.reset_peak_memory_stats()
        for _ in range(stage.training.grad_accum_steps):
            loss = training_loss(model, *inputs)
            saved = held() - before
            loss.backward()
            del loss
        peak = torch.cuda.max_memory_allocated() - before
        gradients = sum(each.grad.to_local().nbytes for each in parameters if each.grad is not None)  # type: ignore[attr-defined]
        clip(parameters, stage.training.gradient_clipping_norm, gradient_norm(parameters))
        optimizer.step()
        optimizer.zero_grad()
        if number == 0:
            state = held() - before
    free, total = torch.cuda.mem_get_info()
    reserved = torch.cuda.max_memory_reserved()
    return {
        "parameters": standing,
        "optimizer": state,
        "gradients": gradients,
        "saved_bytes": saved,
        "peak_bytes": peak,
        "total_bytes": torch.cuda.max_memory_allocated(),
        "reserved_bytes": reserved,
        "outside_bytes": total - free - torch.cuda.memory_reserved(),
    }
