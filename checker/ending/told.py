"""Endings that the run has told itself, by its last event."""

from __future__ import annotations

import re

from tttdit.checker.ending.ending import Ending
from tttdit.checker.ending.memory import last_of_all, memory_seen
from tttdit.checker.ending.record import Line, Record
from tttdit.core.wording import plural, spoken_bytes

ENDS = ("finished", "interrupted", "needs_other_world", "failed")

# torch.utils.data of PyTorch 2.13 (`_utils/signal_handling.py`, and `DataLoader._try_get_data`) about a reading process that is gone.
_WORKER_GONE = re.compile(r"DataLoader worker \(pid.*\) (?:is killed by signal|exited unexpectedly)")


def told(record: Record, event: Line) -> Ending:
    """What the last of the events that end a run means."""
    name = event.text("event")
    if name == "finished":
        return _finished(record)
    if name == "interrupted":
        return _interrupted(record, event)
    if name == "needs_other_world":
        return _other_world(record, event)
    return _failed(record, event)


def _finished(record: Record) -> Ending:
    last = record.metrics[-1] if record.metrics else None
    loss = last.number("loss") if last is not None else None
    stages = ", ".join(record.checkpoints)
    return Ending(
        kind="finished",
        what=f"all that was asked for is done{f': {stages}' if stages else ''}",
        seen=(f"the last loss was {loss:.4f}",) if loss is not None else (),
    )


def _interrupted(record: Record, event: Line) -> Ending:
    stage, step = event.text("stage"), event.count("step")
    where = f" behind step {step:,} of {stage}" if stage and step is not None else ""
    return Ending(
        kind="interrupted",
        what=f"stopped by {event.text('signal') or 'a signal'}{where}",
        command=record.command,
    )


def _other_world(record: Record, event: Line) -> Ending:
    needed, had = event.count("world_size"), record.launched.count("world_size")
    stage = event.text("stage")
    return Ending(
        kind="other_world",
        what=f"done as far as this launch could: stage {stage or '?'} needs {_ranks(needed)}, and it had {_ranks(had)}",
        change=(f"start it on {_ranks(needed)}; tttdit launch torchrun {record.spec} prints the lines of all stages",),
        command=event.text("command"),
    )


def _failed(record: Record, event: Line) -> Ending:
    kind, message = event.text("kind"), event.text("message")
    if kind == "out_of_gpu_memory":
        return _out_of_gpu_memory(record, event)
    if kind == "out_of_host_memory":
        return Ending(
            kind="out_of_host_memory", what=message or "out of main memory", seen=memory_seen(record), change=_LESS_HOST,
            command=record.command,
        )  # fmt: skip
    if kind == "lost_rank":
        return _lost_rank(record, message)
    if kind == "disk":
        return Ending(
            kind="disk",
            what=message or "the disk took no more",
            change=(
                "free room, or write elsewhere with checkpoint.folder; checkpoint.keep = 2 keeps two checkpoints of a stage, "
                "not all of them",
            ),
            command=record.command,
        )
    if kind == "not_finite":
        return _not_finite(record, message)
    if kind == "bad_sample":
        return Ending(
            kind="bad_sample",
            what=message or "a sample cannot be used",
            change=(
                'repair the sample, or leave such samples out with data.bad_samples = "skip"; '
                f"tttdit-check --data {record.spec} looks at all of them",
            ),
            command=record.command,
        )
    if _WORKER_GONE.search(message):
        return _worker_gone(record, message)
    return Ending(
        kind="error",
        what=message or "an error that is not named",
        seen=("log.txt has the whole traceback at its end",),
        command=record.command,
    )


_LESS_HOST = ("fewer data.workers, checkpoint.asynchronous = false, or fewer ranks on a node take less",)


def _out_of_gpu_memory(record: Record, event: Line) -> Ending:
    stage, region = event.text("stage") or record.stage, event.text("region")
    message = event.text("message")
    seen = []
    last = record.metrics[-1] if record.metrics else None
    peak = last.count("peak_bytes") if last is not None else None
    predicted = _predicted(record)
    if peak is not None:
        seen.append(f"the largest step before it had {spoken_bytes(peak)} at its peak")
    if predicted is not None:
        seen.append(f"{spoken_bytes(predicted)} were predicted for a rank")
    option = f" --stage {stage}" if stage else ""
    return Ending(
        kind="out_of_gpu_memory",
        what=message or f"out of GPU memory{f' in {region}' if region else ''}",
        seen=tuple(seen),
        change=(
            f"tttdit plan {record.spec}{option} finds a setting of [memory] that fits (--write puts it into the spec)",
            "nvidia-smi shows whether another process holds memory on that GPU",
        ),
        command=record.command,
    )


def _predicted(record: Record) -> int | None:
    started = record.last("stage_started")
    return started.inner("predicted").count("reserved_bytes") if started is not None else None


def _lost_rank(record: Record, message: str) -> Ending:
    return Ending(
        kind="lost_rank",
        what=message or "a rank did not answer",
        seen=memory_seen(record),
        change=(
            "look at that rank's own output and its node; torchrun --max-restarts 3 starts all ranks again from the last checkpoint, and "
            "parallelism.timeout_seconds says how long ranks wait for each other",
        ),
        command=record.command,
    )


def _not_finite(record: Record, message: str) -> Ending:
    skipped = record.all("skipped_step")
    row: list[Line] = []
    for each in reversed(skipped):
        row.append(each)
        if each.count("in_a_row") == 1:
            break
    first = row[-1] if row else None
    seen = []
    if first is not None and first.count("step") is not None:
        seen.append(
            f"it began with step {first.count('step'):,} of {first.text('stage')}, in {first.text('tensor') or 'a tensor'}"
        )
    return Ending(
        kind="not_finite",
        what=message or "losses or gradients were not finite",
        seen=tuple(seen),
        change=("a lower optimizer.lr or optimizer.lr_mixer, or more training.warmup_steps",),
        command=record.command,
    )


def _worker_gone(record: Record, message: str) -> Ending:
    scarce = any(one.is_scarce for one in last_of_all(record))
    return Ending(
        kind="out_of_host_memory" if scarce else "error",
        what=f"a process that reads data was killed{', and main memory was scarce' if scarce else ''}: {message}",
        seen=memory_seen(record),
        change=_LESS_HOST
        if scarce
        else ("data.workers = 0 reads in the process that trains, which shows what goes wrong",),
        command=record.command,
    )


def _ranks(count: int | None) -> str:
    return "another number of ranks" if count is None else f"{count:,} {plural(count, 'rank')}"
