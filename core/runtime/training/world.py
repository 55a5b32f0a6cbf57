"""The ranks of a launch: torchrun's, Slurm's, or this process alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch
import torch.distributed as distributed
from attrs import frozen
from torch._C._distributed_c10d import HashStore, Store
from torch.distributed.rendezvous import rendezvous

from tttdit.core.errors import UsageError
from tttdit.core.runtime.training.pulse import Pulse

# What torchrun sets for each of its processes; Slurm's own words, where there is no torchrun.
TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


@frozen
class World:
    """The ranks of this launch, and which of them this process is."""

    rank: int
    size: int
    local_rank: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this is the rank that talks and writes what is written once."""
        return self.rank == 0


def world_of(environment: Mapping[str, str], device: str | None) -> World:
    """The world that the environment describes, on a kind of device: "cuda", "cpu", or None for CUDA where there is some.

    Raises UsageError for what a launcher would not write, and for CUDA where there is none.
    """
    present = [name for name in TORCHRUN if name in environment]
    if present and len(present) < len(TORCHRUN):
        missing = ", ".join(name for name in TORCHRUN if name not in environment)
        raise UsageError(f"{present[0]} is set and {missing} is not: start ranks with torchrun, or unset {present[0]}")
    try:
        rank, size, local = (int(environment.get(name, default)) for name, default in zip(TORCHRUN, "010", strict=True))
    except ValueError:
        said = ", ".join(f"{name}={environment[name]}" for name in TORCHRUN)
        raise UsageError(f"these have to be whole numbers: {said}") from None
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda, and torch finds no GPU here (tttdit doctor says what it finds)")
    if device == "cpu" or not torch.cuda.is_available():
        return World(rank, size, local, torch.device("cpu"))
    if local >= torch.cuda.device_count():
        raise UsageError(
            f"this is process {local} of its node, counted from 0, and there are {torch.cuda.device_count()} GPUs: "
            "start as many processes as there are GPUs (torchrun --nproc-per-node)"
        )
    return World(rank, size, local, torch.device("cuda", local))


@frozen
class Groups:
    """Process groups of all ranks, on the CPU, each for what one thread at a time has to say."""

    saving: distributed.ProcessGroup
    stopping: distributed.ProcessGroup
    store: Store  # where ranks leave words for each other, though no group works any more


@contextmanager
def joined(world: World, timeout_seconds: int) -> Iterator[Groups]:
    """The process group of all ranks, and others of the same ranks for what goes on beside the steps.

    One process alone is a group of one, so that there is one way to train. Of each pair of ranks that wait, the first to wait
    `timeout_seconds` gives up.
    """
    timeout = timedelta(seconds=timeout_seconds)
    on_cuda = world.device.type == "cuda"
    if on_cuda:
        torch.cuda.set_device(world.device)
    store: Store
    if world.size == 1:
        store = HashStore()
    else:
        store, _, _ = next(rendezvous("env://", world.rank, world.size, timeout=timeout))
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if on_cuda else "gloo",
        store=store,
        rank=world.rank,
        world_size=world.size,
        timeout=timeout,
    )
    try:
        saving, stopping = (distributed.new_group(backend="gloo", timeout=timeout) for _ in range(2))
        with Pulse(store, world.rank):
            yield Groups(saving, stopping, store)
        # the store ends with the process that keeps it, and torch complains on behalf of whoever asks it for something just then
        with suppress(RuntimeError):  # a rank that has died by now has done its part
            distributed.barrier(stopping)
    finally:
        distributed.destroy_process_group()


def allow_growing_segments() -> None:
    """Sets what predictions assume of CUDA's allocator, unless the user says something; before the first tensor on a GPU.

    Segments that grow waste less, and flash attention's workspace is known, where cuDNN's is not (docs/memory.md).
    """
    if "PYTORCH_CUDA_ALLOC_CONF" not in os.environ:  # an older name of the same
        os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    os.environ.setdefault("TORCH_CUDNN_SDPA_DEPRIORITIZED", "1")


@contextmanager
def beside(device: torch.device, behind: torch.cuda.Event | None) -> Iterator[None]:
    """On a GPU, a stream for another thread than that of the steps: what it copies waits for `behind`, and not for the step at work."""
    if device.type != "cuda":
        yield
        return
    torch.cuda.set_device(device)
    stream = torch.cuda.Stream()
    if behind is not None:
        stream.wait_event(behind)
    with torch.cuda.stream(stream):
        yield
