"""What drawing a video takes: predicted like a training step, and kept like one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import asdict, field, frozen

from tttdit.checker.memory.collector import collector_at_rest
from tttdit.checker.memory.known import likeness, unpredicted

if TYPE_CHECKING:
    from tttdit.core.stage import Stage


@frozen(kw_only=True)
class SamplingPrediction:
    """One video, drawn by one process with the whole model, without gradients, in bytes. The words are those of docs/memory.md.

    peak_bytes      the most that lives over the sampler's loop; without parameters, buffers, the start and the embeddings
    total_bytes     the most that is allocated, each tensor rounded as the allocator does, at `total_at`
    parts           what total_bytes consists of, at its moment; adds up to it
    reserved_bytes  total_bytes and what the allocator's blocks waste
    outside_bytes   what no allocator of torch's knows: the CUDA context
    flops           of all `steps`
    """

    steps: int
    device: str
    dtype: str
    peak_bytes: int
    peak_at: str
    total_bytes: int
    total_at: str
    parts: Mapping[str, int]
    reserved_bytes: int
    outside_bytes: int
    flops: int
    budget_bytes: int | None  # what the GPU has

    @property
    def needed_bytes(self) -> int:
        """What a GPU must hold: what the allocator reserves, and what is outside of it."""
        return self.reserved_bytes + self.outside_bytes

    @property
    def fits(self) -> bool | None:
        """Whether a GPU can hold it; None where nobody says how large that is."""
        return None if self.budget_bytes is None else self.needed_bytes <= self.budget_bytes

    def as_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        return {**asdict(self), "parts": dict(self.parts), "fits": self.fits}


def can_sample(stage: Stage) -> bool:
    """Whether a stage says how videos are drawn, by a sampler that can be run."""
    return stage.assembly.sampler is not None and stage.assembly.sampler.module is not None


def predicted_sampling(stage: Stage, *, device: str) -> SamplingPrediction:
    """What drawing a video of the stage's length needs. Raises Unpredicted, with the reason, where that cannot be said."""
    sampler = stage.assembly.sampler
    named = None if sampler is None else (sampler.name, sampler.module)
    return _predicted(_Asked(device, (likeness(stage), named, repr(stage.sampling)), stage))


@frozen
class _Asked:
    device: str
    likeness: tuple[Any, ...]
    stage: Stage = field(eq=False)


@lru_cache(maxsize=256)
def _predicted(asked: _Asked) -> SamplingPrediction:
    from tttdit.checker.memory.cache import Cache

    cache, key = Cache(asked.stage), f"{asked.device} {asked.likeness!r}"
    kept = cache.read("samplings", key)
    known = _of_text(kept) if kept is not None else None
    if known is not None:
        return known
    with unpredicted(), collector_at_rest():
        made = _predict(asked.stage, asked.device)
    cache.write("samplings", key, json.dumps(asdict(made), separators=(",", ":")))
    return made


def _of_text(text: str) -> SamplingPrediction | None:
    try:
        return SamplingPrediction(**json.loads(text))
    except (ValueError, TypeError):
        return None


def _predict(stage: Stage, device: str) -> SamplingPrediction:
    from tttdit.checker.memory.accounting import in_main_memory, on_gpu
    from tttdit.checker.memory.gpus import budget_bytes
    from tttdit.checker.memory.outside import CUDA_CONTEXT
    from tttdit.checker.memory.predicting import standing_bytes
    from tttdit.core.symbolic.drawing import record_drawing
    from tttdit.core.symbolic.stepping import Manner

    dtype = stage.parallelism.unsharded_dtype
    drawing = record_drawing(stage, Manner(dtype=dtype, device=device))
    tape, on_cuda = drawing.tape, device == "cuda"
    standing = standing_bytes(tape)
    account = on_gpu(tape, standing, stage.hardware, expandable=True) if on_cuda else in_main_memory(tape, standing)
    return SamplingPrediction(
        steps=drawing.steps,
        device=device,
        dtype=dtype,
        peak_bytes=tape.peak_bytes,
        peak_at=tape.moments[tape.peak_at].told(),
        total_bytes=account.total_bytes,
        total_at=tape.moments[account.at].told(),
        parts={str(name): count for name, count in account.parts.items()},
        reserved_bytes=account.reserved_bytes,
        outside_bytes=CUDA_CONTEXT if on_cuda else 0,
        flops=drawing.flops,
        budget_bytes=budget_bytes(stage.hardware) if on_cuda else None,
    )
