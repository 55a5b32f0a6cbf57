"""A run that has not told how it ended: it is at work, or it went without a word."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

from tttdit.checker.ending.ending import Ending
from tttdit.checker.ending.memory import MemoryLine, last_of_all, lines_of, told_of
from tttdit.checker.ending.record import Line, Record
from tttdit.core.running.wording import duration
from tttdit.core.wording import plural, spoken_bytes

# A rank at work writes about memory every second; a disk that many write to may keep it waiting.
RECENT = 30.0  # seconds
GONE_FIRST = 10.0  # seconds before the others' last line

IsAtWork = Callable[[int], bool]


def silent(record: Record, now: float, *, is_at_work: IsAtWork | None = None) -> Ending:
    """What has become of a run whose last launch has told no end. `now` is in seconds since the epoch."""
    at_work = _at_work(record, now, is_at_work or runs_tttdit)
    if at_work is not None:
        return at_work
    last = last_of_all(record)
    if not last:
        return _killed(record, "no line about memory was written")
    latest = max(one.time for one in last)
    first_gone = [one for one in last if latest - one.time > GONE_FIRST]
    fullest = max(first_gone or last, key=lambda one: one.share)
    if fullest.is_scarce or _copy_too_large(record, fullest):
        return _out_of_memory(record, fullest)
    if first_gone:
        return _gone_first(record, first_gone, latest)
    waited = _waited(record)
    if waited is not None:
        return waited
    return _killed(record, f"memory was at {fullest.said}, so it was not that", *told_of(fullest))


def runs_tttdit(pid: int) -> bool:
    """Whether there is a process of this number on this machine, and it is one of tttdit."""
    try:
        return b"tttdit" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _at_work(record: Record, now: float, is_at_work: IsAtWork) -> Ending | None:
    times = [each.number("time") for each in (record.launched, *record.events[-1:], *record.metrics[-1:])]
    times += [one.time for one in last_of_all(record)]
    age = now - max((time for time in times if time is not None), default=0.0)
    pid, host = record.launched.count("pid"), record.launched.text("host")
    here = host == platform.node()
    alive = here and pid is not None and 0 < pid < 2**31 and is_at_work(pid)
    if not alive and (here or not host or age > RECENT):
        return None
    where = f"process {pid}" if here else "on another machine"
    if age > RECENT:
        return Ending(
            kind="running",
            what=f"process {pid} is there, and has written nothing for {duration(age)}{_place(record)}",
            change=("it was stopped (SIGSTOP), or waits for a disk, or is a newer process of the same number",),
        )
    return Ending(kind="running", what=f"at work, {where}{_place(record)}")


def _out_of_memory(record: Record, line: MemoryLine) -> Ending:
    doing = {
        "checkpoint": ", a checkpoint being staged",
        "data": ", data being read",
        "validation": ", at a validation",
        "start": ", while it was starting",
    }.get(line.doing, "")
    seen = list(told_of(line))
    expected = _predicted(record).count("host_bytes")
    if expected is not None:
        seen.append(f"{spoken_bytes(expected)} were predicted for a node")
    copied = _copy_too_large(record, line)
    if copied is not None:
        seen.append(
            f"the checkpoint's copy takes {spoken_bytes(copied)}, and there was room for {spoken_bytes(line.room)}"
        )
    return Ending(
        kind="out_of_host_memory",
        what=f"killed{_place(record)}; memory was at {line.said}{doing}",
        seen=tuple(seen),
        change=tuple(_less(record, line)),
        command=record.command,
    )


def _less(record: Record, line: MemoryLine) -> list[str]:
    """What takes less main memory, the likeliest first."""
    change = []
    workers = record.setting("data", "workers")
    if line.doing == "checkpoint" and record.setting("checkpoint", "asynchronous") is not False:
        change.append("checkpoint.asynchronous = false copies a checkpoint in pieces instead of all of it at once")
    if next(iter(line.holders)) == "its data workers" or (line.workers and not change):
        fewer = f" (it is {workers})" if isinstance(workers, int) else ""
        change.append(f"fewer data.workers{fewer} take less")
    if next(iter(line.holders)) == "other processes":
        change.append("other processes held most of it: ranks on the same node, or somebody else's")
    change.append("give it more memory, or put fewer ranks on a node")
    return change


def _copy_too_large(record: Record, line: MemoryLine) -> int | None:
    """The bytes of an asynchronous checkpoint's copy, where they were more than there was room for."""
    if line.doing != "checkpoint" or record.setting("checkpoint", "asynchronous") is not True:
        return None
    copied = _predicted(record).inner("host_parts").count("checkpoint")
    return copied if copied is not None and copied > line.room else None


def _gone_first(record: Record, gone: list[MemoryLine], latest: float) -> Ending:
    ranks = ", ".join(str(one.rank) for one in gone)
    early = latest - min(one.time for one in gone)
    who = f"{plural(len(gone), 'rank')} {ranks}"
    return Ending(
        kind="lost_rank",
        what=f"{who} {'was' if len(gone) == 1 else 'were'} gone {duration(early)} before the others, which waited{_place(record)}",
        seen=(
            *told_of(max(gone, key=lambda one: one.share)),
            "memory was not near its limit there, so it was not that",
        ),
        change=(
            f"look at the node of {who}: its kernel's log, its GPU, its network; "
            "torchrun --max-restarts 3 starts all ranks again from the last checkpoint",
        ),
        command=record.command,
    )


def _waited(record: Record) -> Ending | None:
    """Ranks that all waited in the same step for as long as they may, and were ended together, as NCCL's watchdog does."""
    timeout, ranks = record.setting("parallelism", "timeout_seconds"), record.launched.count("world_size") or 1
    if ranks == 1 or isinstance(timeout, bool) or not isinstance(timeout, int):
        return None
    lines = list(lines_of(record, min(record.memory)))
    if not lines:
        return None
    since = next((one.time for one in reversed(lines) if one.at != lines[-1].at), lines[0].time)
    if lines[-1].time - since < timeout:
        return None
    return Ending(
        kind="lost_rank",
        what=f"all ranks were in one step for {duration(lines[-1].time - since)}, and were ended together{_place(record)}",
        seen=(f"ranks wait for each other for {duration(timeout)} (parallelism.timeout_seconds = {timeout:,})",),
        change=(
            "one of them hangs, or the network does: what each rank printed last names the collective it waited in "
            "(TORCH_NCCL_TRACE_BUFFER_SIZE=2000 makes NCCL's watchdog write what every rank was at)",
        ),
        command=record.command,
    )


def _killed(record: Record, why_not: str, *seen: str) -> Ending:
    return Ending(
        kind="killed",
        what=f"killed without a word{_place(record)}; {why_not}",
        seen=seen,
        change=(
            "SIGKILL, a crash outside of Python or a node without power leave no more than this: the scheduler's log, the kernel's (dmesg) "
            "and what the process printed last say which",
        ),
        command=record.command,
    )


def _place(record: Record) -> str:
    """` behind step 50 of 150 of 3s`."""
    if not record.stage:
        return " before its first stage"
    step, steps = record.step, record.steps
    behind = f" behind step {step:,}{f' of {steps:,}' if steps is not None else ''}" if step is not None else ""
    return f"{behind} of stage {record.stage}" if behind else f" in stage {record.stage}"


def _predicted(record: Record) -> Line:
    started = record.last("stage_started")
    return started.inner("predicted") if started is not None else Line({})
