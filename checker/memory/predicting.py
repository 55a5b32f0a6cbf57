"""`tttdit.predict_memory`: what one training step of one rank needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import evolve
from pydantic import ValidationError

from tttdit.checker.memory.accounting import in_main_memory, on_gpu
from tttdit.checker.memory.allocator import is_expandable
from tttdit.checker.memory.communication import exchanges
from tttdit.checker.memory.gpus import budget_bytes
from tttdit.checker.memory.host import host_bytes, page_cache_bytes
from tttdit.checker.memory.outside import CUDA_CONTEXT, outside_bytes
from tttdit.checker.memory.prediction import Part, Prediction, Runtime
from tttdit.checker.memory.rank import sharding_of, step_of_rank
from tttdit.checker.memory.waiting import waiting_regions
from tttdit.checker.spec import Spec
from tttdit.core.errors import UsageError
from tttdit.core.stage import Stage
from tttdit.core.symbolic.periods import whole_step
from tttdit.core.symbolic.stepping import Manner
from tttdit.core.symbolic.tape import Tape


def predict_memory(
    spec: Spec,
    stage: str | None = None,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    runtime: Runtime = "plain",
    **memory_overrides: Any,
) -> Prediction:
    """What a training step of one rank needs, without torch.

    `spec` is what `tttdit.load_spec` returned; `stage` may be left out where it has one. With `runtime="plain"` it is
    `tttdit.build_model(spec)` with the same stage and dtype, in one process, without an optimizer: `saved_bytes` and `peak_bytes` of
    `tttdit.training_loss` and its backward, as they are measured. With "fsdp2" it is what `tttdit run` does, on one rank of the spec's mesh
    and in the spec's own types (`dtype` is left out of account). `device` is "cpu" or "cuda": operators keep different things there.
    Further keywords replace keys of `[memory]`: `attention=True`, `scan_checkpoint_group_size=4`.

    Raises UsageError for a stage, a device, a type or a key that there is not, and for sizes that `tttdit.check` finds wrong.
    """
    chosen = with_memory(the_stage(spec, stage), memory_overrides)
    return predict(chosen, device=device, dtype=dtype, runtime=runtime)


def the_stage(spec: Spec, name: str | None) -> Stage:
    """The stage of this name, or the only one. Raises UsageError where that is not one."""
    found = [each for each in spec.stages if name is None or each.name == name]
    if len(found) != 1:
        names = ", ".join(f'"{each.name}"' for each in spec.stages)
        asked = "say which stage" if name is None else f'it has no stage "{name}"'
        raise UsageError(f'"{spec.name}" has the stages {names}: {asked}')
    return found[0]


def with_memory(stage: Stage, overrides: Mapping[str, Any]) -> Stage:
    """The stage with other keys of `[memory]`. Raises UsageError for a key or a value that its table does not take."""
    if not overrides:
        return stage
    table = type(stage.memory)
    unknown = sorted(set(overrides) - set(table.model_fields))
    if unknown:
        raise UsageError(f"[memory] has no key {unknown[0]}; it has {', '.join(table.model_fields)}")
    try:
        changed = table.model_validate({**stage.memory.model_dump(), **overrides})
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"memory.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return evolve(stage, memory=changed)


def predict(stage: Stage, *, device: str, dtype: str, runtime: Runtime) -> Prediction:
    """See `predict_memory`."""
    tape = tape_of(stage, device=device, dtype=dtype, runtime=runtime)
    made = _predicted(stage, tape, device, dtype if runtime == "plain" else stage.parallelism.unsharded_dtype, runtime)
    workspace = tape.moments[tape.peak_at].workspace
    return evolve(made, workspace_bytes=workspace, waiting=waiting_regions(tape, stage))


def tape_of(stage: Stage, *, device: str, dtype: str, runtime: Runtime, lines: bool = False) -> Tape:
    """The record of the step whose bytes `predict` gives; with `lines` its moments know the module's lines."""
    tape = whole_step(stage, manner_of(stage, device=device, dtype=dtype, runtime=runtime, lines=lines))
    tape = evolve(
        tape, allocations=tuple(tape.allocations)
    )  # one put together from few layers makes them at every look
    return tape if runtime == "plain" else step_of_rank(tape, stage, device)


def manner_of(stage: Stage, *, device: str, dtype: str, runtime: Runtime, lines: bool = False) -> Manner:
    """How a runtime makes a step."""
    if runtime == "plain":
        return Manner(dtype=dtype, device=device, lines=lines)
    own = stage.parallelism.unsharded_dtype
    return Manner(dtype=own, device=device, in_place=True, lines=lines, sharding=sharding_of(stage))


def _predicted(stage: Stage, tape: Tape, device: str, dtype: str, runtime: Runtime) -> Prediction:
    standing, hardware = standing_bytes(tape), stage.hardware
    on_cuda, distributed = device == "cuda", runtime == "fsdp2"
    outside, budget = around_torch(stage, device=device, runtime=runtime)
    expandable = is_expandable(runtime)
    account = on_gpu(tape, standing, hardware, expandable=expandable) if on_cuda else in_main_memory(tape, standing)
    return Prediction(
        stage=stage.name,
        device=device,
        dtype=dtype,
        runtime=runtime,
        saved_bytes=tape.saved_bytes,
        peak_bytes=tape.peak_bytes,
        peak_at=tape.moments[tape.peak_at].told(),
        total_bytes=account.total_bytes,
        total_at=tape.moments[account.at].told(),
        parts=account.parts,
        reserved_bytes=account.reserved_bytes,
        outside_bytes=outside,
        host_bytes=host_bytes(stage, tape.standing) if distributed else {},
        page_cache_bytes=page_cache_bytes(stage, tape.standing) if distributed else 0,
        flops=tape.flops,
        recompute_flops=tape.recompute_flops,
        communication=exchanges(tape, stage) if distributed else (),
        budget_bytes=budget,
        standing_bytes=account.standing_bytes,
        after_bytes=account.after_bytes,
    )


def around_torch(stage: Stage, *, device: str, runtime: Runtime) -> tuple[int, int | None]:
    """What lies outside of torch's allocator, and what the GPU has, None where nobody says; a CPU has neither."""
    if device != "cuda":
        return 0, None
    outside = outside_bytes(stage.parallelism) if runtime == "fsdp2" else CUDA_CONTEXT
    return outside, budget_bytes(stage.hardware)


def standing_bytes(tape: Tape) -> Counter[Part]:
    """What is there before the step begins."""
    parts: Counter[Part] = Counter()
    for one in tape.standing:
        parts[_STANDING[one.kind]] += one.nbytes
    return parts


_STANDING: dict[str, Part] = {
    "parameter": "parameters",
    "buffer": "tables",
    "input": "inputs",
    "gradient": "gradients",
    "optimizer": "optimizer",
}
