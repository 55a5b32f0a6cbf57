"""Whatever ends a run too early, as an error with a kind and one line."""

from __future__ import annotations

from types import TracebackType

import torch
from torch import nn

from tttdit.core.errors import RunError, TttditError
from tttdit.core.plugin.references import one_line
from tttdit.core.runtime.checkpoints.failing import DISK


def failure_of(error: BaseException) -> RunError:
    """The error that the run ends with; one of ours is it already."""
    if isinstance(error, RunError):
        return error
    if isinstance(error, TttditError):
        return RunError("error", str(error))
    if isinstance(error, torch.OutOfMemoryError):
        place = module_at_work(error)
        where = f" in {place}" if place else ""
        return RunError("out_of_gpu_memory", f"out of GPU memory{where}: {str(error).splitlines()[0]}", place)
    if isinstance(error, MemoryError):
        return RunError("out_of_host_memory", "out of main memory")
    if isinstance(error, OSError) and error.errno in DISK:
        named = f": {error.filename}" if error.filename else ""
        return RunError("disk", f"{DISK[error.errno]}{named}")
    return RunError("error", one_line(error))


def module_at_work(error: BaseException) -> str:
    """The path of the innermost module of the model that was being called, `layers.3.mlp`; "" where none was.

    Frames of an error know the modules whose methods they are of; the outermost is the model, which knows the others' names.
    """
    modules = [each for each in _selves(error.__traceback__) if isinstance(each, nn.Module)]
    if not modules:
        return ""
    names = {id(module): name for name, module in modules[0].named_modules()}
    return next((names[id(each)] for each in reversed(modules) if names.get(id(each))), "")


def _selves(trace: TracebackType | None) -> list[object]:
    found = []
    while trace is not None:
        found.append(trace.tb_frame.f_locals.get("self"))
        trace = trace.tb_next
    return found
