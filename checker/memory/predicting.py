"""`tttdit.predict_memory`: what one training step of one rank needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import evolve
from pydantic import ValidationError

from tttdit.checker.memory.prediction import Part, Prediction, Runtime
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
    tape = whole_step(stage, Manner(dtype=dtype, device=device))
    return _plain(stage, tape, device, dtype)


def _plain(stage: Stage, tape: Tape, device: str, dtype: str) -> Prediction:
    at = tape.peak_at
    parts = standing_bytes(tape)
    parts.update(tape.parts_at(at))
    total = sum(parts.values())
    told = tape.moments[at].told()
    return Prediction(
        stage=stage.name,
        device=device,
        dtype=dtype,
        runtime="plain",
        saved_bytes=tape.saved_bytes,
        peak_bytes=tape.peak_bytes,
        peak_at=told,
        total_bytes=total,
        total_at=told,
        parts=parts,
        reserved_bytes=total,
        outside_bytes=0,
        host_bytes={},
        flops=tape.flops,
        recompute_flops=tape.recompute_flops,
        communication=(),
        budget_bytes=None,
    )


def standing_bytes(tape: Tape) -> Counter[Part]:
    """What is there before the step begins."""
    parts: Counter[Part] = Counter()
    for one in tape.standing:
        parts[_STANDING[one.kind]] += one.nbytes
    return parts


_STANDING: dict[str, Part] = {"parameter": "parameters", "buffer": "tables", "input": "inputs"}
