"""Reads checkpoints into a state, whatever mesh they were written on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch.distributed as distributed
from torch.distributed.checkpoint.state_dict_loader import load as load_state

from tttdit.core.errors import RunError
from tttdit.core.runtime.checkpoints.failing import together
from tttdit.core.runtime.checkpoints.saving import State
from tttdit.core.runtime.weights.distributed import DistributedSource, distributed_checkpoint
from tttdit.core.runtime.weights.formats import Stored

_NAMED = 3  # so many names are told


def load(path: Path, state: State, group: distributed.ProcessGroup) -> None:
    """Fills the tensors of a state in place; all ranks call it. Parts that the state has not, the checkpoint may have.

    Nothing of the files is run. Raises RunError on all ranks alike: for a checkpoint of another model nothing has been filled then; what is
    damaged may be found in the middle.
    """
    tensors = {f"{part}.{name}": each for part, named in state.items() for name, each in named.items()}

    def opened() -> DistributedSource:
        source = distributed_checkpoint(path)
        _compare(path, {name: tuple(each.shape) for name, each in tensors.items()}, source.tensors)
        return source

    source = together(opened, path, "read", group)
    together(lambda: load_state(tensors, storage_reader=source.reader(), process_group=group), path, "read", group)


def _compare(path: Path, wanted: Mapping[str, tuple[int, ...]], there: Mapping[str, Stored]) -> None:
    """Raises RunError unless names and shapes are the same in all parts that are wanted."""
    parts, parts_there = _parts(wanted), _parts(there)
    for part in parts:
        if part not in parts_there:
            raise RunError("error", f"{path} has no {part}: it has {', '.join(parts_there) or 'nothing'}")
    shapes = {name: stored.shape for name, stored in there.items() if name.partition(".")[0] in parts}
    told = [
        *(f"{name} is not in it" for name in wanted if name not in shapes),
        *(f"it has {name}, which this one has not" for name in shapes if name not in wanted),
        *(
            f"{name} is {[*shapes[name]]} in it, and {[*shape]} here"
            for name, shape in wanted.items()
            if name in shapes and shapes[name] != shape
        ),
    ]
    if told:
        more = f"; and {len(told) - _NAMED:,} more" if len(told) > _NAMED else ""
        raise RunError("error", f"{path} is a checkpoint of another model: {'; '.join(told[:_NAMED])}{more}")


def _parts(names: Iterable[str]) -> list[str]:
    return [*dict.fromkeys(name.partition(".")[0] for name in names)]
