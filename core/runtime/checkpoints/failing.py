"""What can go wrong with files, as an error that every rank has."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch.distributed as distributed
from torch.distributed.checkpoint.api import CheckpointException

from tttdit.core.errors import RunError, TttditError
from tttdit.core.plugin.references import one_line

DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "there is no permission to write there",
    errno.EPERM: "there is no permission to write there",
}

_NO_MEMORY = "DefaultCPUAllocator: can't allocate memory"  # c10/core/impl/alloc_cpu.cpp, `alloc_cpu`
_LONGEST_REASON = 200  # characters of what torch says

_Result = TypeVar("_Result")
Doing = Literal["written", "read"]


def together(act: Callable[[], _Result], path: Path, doing: Doing, group: distributed.ProcessGroup) -> _Result:
    """What `act` returns on this rank, once it has succeeded on all ranks, which all call it. Else raises RunError on all of them."""
    error: BaseException | None = None
    try:
        result = act()
    except (Exception, CheckpointException) as failed:  # torch's own is no Exception
        error = failed
    agree(error, path, doing, group)
    return result


def agree(error: BaseException | None, path: Path, doing: Doing, group: distributed.ProcessGroup) -> None:
    """Raises on every rank what went wrong on the first one that says something; nothing where all went well."""
    mine = None if error is None else as_run_error(error, path, doing)
    said: list[Any] = [None] * distributed.get_world_size(group)
    distributed.all_gather_object(said, None if mine is None else (mine.kind, str(mine)), group=group)
    found = next((one for one in said if one is not None), None)
    if found is not None:
        raise RunError(*found)


def as_run_error(error: BaseException, path: Path, doing: Doing) -> RunError:
    """An error of writing or reading a checkpoint as one line that names the cause."""
    while isinstance(error, CheckpointException):
        error = next(iter(error.failures.values()))[0]
    if isinstance(error, RunError):
        return error
    if isinstance(error, TttditError):
        return RunError("error", str(error))
    if isinstance(error, MemoryError) or _NO_MEMORY in str(error):
        return RunError("out_of_host_memory", f"{path} cannot be {doing}: main memory has no room for it")
    number = error_number(error)
    if doing == "written" and number in DISK:
        return RunError("disk", f"{path} cannot be written: {DISK[number]}")
    said = os.strerror(number) if number is not None else one_line(error)[:_LONGEST_REASON]
    return RunError("error" if number is None else "disk", f"{path} cannot be {doing}: {said}")


def error_number(error: BaseException | None) -> int | None:
    """The number of the operating system's error that this one is or comes from; at times torch only says it in words."""
    seen = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen.errno
        seen = seen.__cause__ or seen.__context__
    text = str(error)
    return next((number for number in DISK if f"[Errno {number}]" in text or os.strerror(number) in text), None)
