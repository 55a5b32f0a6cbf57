"""Writes a file's tensors under a model's names: what `tttdit convert-weights` does once names and shapes are found to fit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.runtime.weights.formats import Stored
from tttdit.core.runtime.weights.matching import Match
from tttdit.core.runtime.weights.opening import PICKLES
from tttdit.core.runtime.weights.reading import Source
from tttdit.core.runtime.weights.replacing import check_free, replacing
from tttdit.core.runtime.weights.writing import write_file, write_folder

CASTS = {"keep": None, "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LARGEST_SHARD = 5_000_000_000  # bytes


def is_file(to: Path) -> bool:
    """Whether weights are written to a file of this name, or to several in a folder of it. Raises UsageError for a name of pickles."""
    if to.suffix in PICKLES and not to.is_dir():
        raise UsageError(f"{to} is a pickle's name, and safetensors are written: name a .safetensors file, or a folder")
    return to.suffix == ".safetensors"


def converted(source: Source, match: Match, dtype: torch.dtype | None = None) -> dict[str, Stored]:
    """What is written, by the model's names; floating-point numbers as `dtype`, or as they are."""
    kept = {name: source.tensors[theirs] for name, theirs in match.taken.items()}
    return {
        name: Stored(dtype if dtype is not None and tensor.dtype.is_floating_point else tensor.dtype, tensor.shape)
        for name, tensor in kept.items()
    }


def convert(
    source: Source,
    match: Match,
    to: Path,
    *,
    dtype: torch.dtype | None = None,
    largest: int = LARGEST_SHARD,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda tensors, size: None,
) -> tuple[str, ...]:
    """Writes a file (`*.safetensors`) or a folder, whose files hold at most `largest` bytes of tensors; the names of the files.

    Tensor by tensor: in memory is one, and its cast where `dtype` asks for one. `progress` is told how many tensors and bytes have been
    written. Raises UsageError where something cannot be read or written, is there already, or does not fit into `dtype`.
    """
    tensors = converted(source, match, dtype)
    check_free(to, overwrite=overwrite, folder=not is_file(to))
    written = [0, 0]

    def read(name: str) -> Tensor:
        tensor = cast(source.read(match.taken[name]), tensors[name].dtype, name)
        written[0] += 1
        written[1] += tensors[name].nbytes
        progress(*written)
        return tensor

    try:
        _check_space(to, tensors)
        with replacing(to) as partial:
            if is_file(to):
                write_file(partial, tensors, read)
                return (to.name,)
            partial.mkdir()
            return write_folder(partial, tensors, read, largest)
    except OSError as error:
        raise UsageError(f"{to} cannot be written: {error.strerror or error}") from None


def cast(tensor: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    """The tensor in this type. Raises UsageError for a number that the type does not hold."""
    if tensor.dtype == dtype:
        return tensor
    narrow = tensor.to(dtype)
    if tensor.isfinite().all() and not narrow.isfinite().all():
        raise UsageError(f"{name} has {tensor.abs().max().item():.3g}, more than {dtype} holds: choose another dtype")
    return narrow


def _check_space(to: Path, tensors: Mapping[str, Stored]) -> None:
    needed, free = (
        sum(tensor.nbytes for tensor in tensors.values()),
        shutil.disk_usage(Path(os.path.realpath(to)).parent).free,
    )
    if needed > free:
        raise UsageError(f"{to} would take {needed:,} bytes, and {free:,} are free there")
