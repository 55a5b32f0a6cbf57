"""Which rank did not answer, and in which collective."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from types import TracebackType

import torch.distributed as distributed
from torch._C._distributed_c10d import Store

from tttdit.core.errors import RunError
from tttdit.core.runtime.training.pulse import counts
from tttdit.core.runtime.training.world import Groups, World

ANSWER_WITHIN = 10.0  # seconds; what the others have for saying that they are still there
LISTEN_EVERY = 0.2  # seconds

# How gloo and NCCL say that somebody is gone: gloo's exceptions, ProcessGroupNCCL's watchdog.
_SIGNS = re.compile(
    r"gloo|connection (?:closed|reset|refused)|timed out waiting|NCCL (?:error|communicator)|watchdog|collective operation timeout"
    r"|ncclRemoteError|broken pipe",
    re.IGNORECASE,
)
_NCCL_OPERATION = re.compile(r"OpType=(\w+)")


def lost_rank(error: BaseException, world: World, groups: Groups, timeout_seconds: int) -> RunError | None:
    """The error that names the ranks which are gone, if that is what this error is about; None otherwise.

    All ranks that are still there call it, each with its own error.
    """
    if world.size == 1 or not (isinstance(error, distributed.DistError) or _SIGNS.search(str(error))):
        return None
    missing = _missing(world, groups.store)
    collective = _collective(error)
    where = f" in {collective}" if collective else ""
    if not missing:
        return RunError(
            "lost_rank", f"the ranks lost each other{where}: all of them answer again, so a link was interrupted"
        )
    one = len(missing) == 1
    who = f"rank {missing[0]}" if one else f"ranks {', '.join(map(str, missing))}"
    end = "it has ended or hangs" if one else "they have ended or hang"
    return RunError(
        "lost_rank",
        f"{who} did not answer{where} (parallelism.timeout_seconds = {timeout_seconds:,}): {end}; "
        "torchrun --max-restarts starts again from the last checkpoint",
    )


def _missing(world: World, store: Store) -> list[int]:
    """The ranks that are gone; where all of them live, those whose step still waits for something when the others' have failed.

    Ranks say it in the store: a process group of gloo's is of no use to anybody as soon as one of its ranks has been waited for in vain.
    A rank that waits for another one than that which is gone may fail much later, so that saying nothing is no sign of being gone.
    """
    said = {rank: f"tttdit failed {rank}" for rank in range(world.size)}
    end = time.monotonic() + ANSWER_WITHIN
    try:
        store.set(said[world.rank], "")
        before = counts(store, said)
        waiting = list(said)
        while waiting and time.monotonic() < end:
            waiting = [rank for rank in waiting if not store.check([said[rank]])]
            time.sleep(LISTEN_EVERY if waiting else 0)
        after = counts(store, waiting)
    except RuntimeError:  # it is gone with the rank that keeps it, where no launcher does
        return [0]
    return [rank for rank in waiting if after[rank] == before[rank]] or waiting


def _collective(error: BaseException) -> str:
    named = _NCCL_OPERATION.search(str(error))
    if named is not None:
        return named[1].lower()
    return next(_functions_of(distributed.distributed_c10d.__file__, error.__traceback__), "")


def _functions_of(file: str, trace: TracebackType | None) -> Iterator[str]:
    """The functions of a file in which an error arose, by their names, the outermost first."""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == file:
            yield code.co_name
        trace = trace.tb_next
