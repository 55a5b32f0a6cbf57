"""One rank's training step on the real torch, with FSDP2 and AdamW, on a process group that does not communicate.

The first rank of any mesh runs in one process (`torch.testing._internal.distributed.fake_pg`): what it allocates does not depend on
what the others send.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed
from attrs import frozen
from torch import nn
from torch._guards import active_fake_mode
from torch.distributed._functional_collectives import AsyncCollectiveTensor
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.debug import _clear_sharding_prop_cache
from torch.testing._internal.distributed.fake_pg import FakeStore

from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.objective import training_loss
from tttdit.core.runtime.proof.steps import random_input
from tttdit.core.runtime.sharding import mesh_of, shard
from tttdit.core.runtime.training.averaging import Average
from tttdit.core.runtime.training.optimizing import adamw, clip, gradient_norm
from tttdit.core.stage import Stage
from tttdit.core.stepping import step_inputs
from tttdit.core.symbolic.storage import Operator


class RankBytes(LiveBytes):
    """The rod for FSDP2: it follows storages that are given back and taken again while tensors refer to them, and counts of a DTensor
    the part that this rank holds.
    """

    def __enter__(self) -> RankBytes:
        self._fake_mode = active_fake_mode()
        self._resize = resize = torch.UntypedStorage.resize_

        def resized(storage: torch.UntypedStorage, size: int) -> Any:
            result = resize(storage, size)
            self._changed(storage)
            return result

        torch.UntypedStorage.resize_ = resized  # type: ignore[assignment, method-assign]
        super().__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        torch.UntypedStorage.resize_ = self._resize  # type: ignore[method-assign]
        super().__exit__(*exception)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if DTensor in types:
            return NotImplemented  # it comes again, with this rank's part
        if active_fake_mode() is not self._fake_mode:  # a DTensor finds out what its results look like
            return func(*args, **(kwargs or {}))
        return super().__torch_dispatch__(func, types, args, kwargs)

    def _see(self, tensor: torch.Tensor) -> None:
        # what waits for a collective has no memory, whatever its storage says
        super()._see(tensor.elem if isinstance(tensor, AsyncCollectiveTensor) else tensor)

    def _changed(self, storage: torch.UntypedStorage) -> None:
        known = self._live.get(storage._cdata)
        if known is not None:
            self.now += storage.nbytes() - known[0]
            self._live[storage._cdata] = (storage.nbytes(), known[1])


@frozen
class RankStep:
    """One step as it was measured: bytes of what the rank holds, and its operators with the bytes live after each.

    `live` counts everything but parameters, buffers and inputs; `standing` of it, the optimizer's state and gradients of earlier
    micro-steps, was there before.
    """

    parameters: int
    gradients: int
    optimizer: int
    standing: int
    log: tuple[Operator, ...]


def measured_step(stage: Stage) -> RankStep:
    """The second training step of a stage's first rank, on the CPU: its last micro-step, clipping and the optimizer's step.

    The process group of all ranks must be there, see `pretended_ranks`. Raises what the modules raise.
    """
    model = build_stage(stage)
    shard(model, stage, mesh_of(stage.parallelism, "cpu"))
    inputs = [random_input(each) for each in step_inputs(stage, stage.parallelism.unsharded_dtype)]
    optimizer = adamw(model, stage)
    decay = stage.training.average_decay
    rod = RankBytes([*_local(model.parameters()), *model.buffers(), *inputs], look_inside=False)
    with rod:
        average = Average(model, decay) if decay is not None else None
        for _ in range(stage.training.grad_accum_steps):
            training_loss(model, *inputs).backward()
        _clip_and_step(model, stage, optimizer, average)
        optimizer.zero_grad()
        for _ in range(stage.training.grad_accum_steps - 1):
            training_loss(model, *inputs).backward()
        standing, first = rod.now, len(rod.log)
        loss = training_loss(model, *inputs)
        loss.backward()
        gradients = _bytes(each.grad for each in model.parameters() if each.grad is not None)
        _clip_and_step(model, stage, optimizer, average)
    state = [value for each in optimizer.state.values() for value in each.values()]
    state += average.tensors.values() if average is not None else []
    return RankStep(
        parameters=_bytes(model.parameters()),
        gradients=gradients,
        optimizer=_bytes(state),
        standing=standing,
        log=tuple(rod.log[first:]),
    )


@contextmanager
def pretended_ranks(count: int) -> Iterator[None]:
    """A process group of so many ranks, of which this process is the first and the others are not there."""
    torch.distributed.init_process_group("fake", store=FakeStore(), rank=0, world_size=count)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()
        _clear_sharding_prop_cache()  # results of DTensors, with meshes whose groups are gone


def _clip_and_step(model: nn.Module, stage: Stage, optimizer: torch.optim.Optimizer, average: Average | None) -> None:
    parameters = [each for each in model.parameters() if each.requires_grad]
    norm = gradient_norm(parameters)
    clip(parameters, stage.training.gradient_clipping_norm, norm)
    optimizer.step()
    if average is not None:
        average.follow()
    del norm  # which a training loop holds until here


def _local(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    return [each._local_tensor if isinstance(each, DTensor) else each for each in tensors]


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    """Of the storages, each counted once."""
    storages = {each.untyped_storage()._cdata: each.untyped_storage().nbytes() for each in _local(tensors)}
    return sum(storages.values())
