"""Writes safetensors files with one tensor in memory at a time: the header first, then each tensor as it comes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from tttdit.core.runtime.weights.formats import Stored, header

_METADATA = {"format": "pt"}  # what other readers of safetensors look for: tensors of PyTorch
FILE, INDEX = "model.safetensors", "model.safetensors.index.json"


def write_file(path: Path, tensors: Mapping[str, Stored], read: Callable[[str], Tensor]) -> None:
    """A new file with these tensors; `read` gives each when its turn has come. On the disk when this returns. Raises OSError."""
    order = sorted(
        tensors, key=lambda name: -tensors[name].dtype.itemsize
    )  # so that each begins at a multiple of its size
    with path.open("xb") as file:
        file.write(header({name: tensors[name] for name in order}, _METADATA))
        for name in order:
            tensor = read(name)
            assert (tensor.dtype, tuple(tensor.shape)) == (tensors[name].dtype, tensors[name].shape), name
            file.write(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
            del tensor
        file.flush()
        os.fsync(file.fileno())


def write_folder(
    folder: Path, tensors: Mapping[str, Stored], read: Callable[[str], Tensor], largest: int
) -> tuple[str, ...]:
    """Files of at most `largest` bytes of tensors, or of one tensor, in an existing folder, with their index; the files' names.

    What fits into one file is one, without an index. Raises OSError.
    """
    shards = list(_shards(tensors, largest))
    if len(shards) == 1:
        write_file(folder / FILE, tensors, read)
        return (FILE,)
    names = [f"model-{number:05d}-of-{len(shards):05d}.safetensors" for number in range(1, len(shards) + 1)]
    for name, shard in zip(names, shards, strict=True):
        write_file(folder / name, shard, read)
    places = {tensor: name for name, shard in zip(names, shards, strict=True) for tensor in shard}
    total = sum(tensor.nbytes for tensor in tensors.values())
    with (folder / INDEX).open("x") as file:
        json.dump({"metadata": {"total_size": total}, "weight_map": places}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    return (*names, INDEX)


def _shards(tensors: Mapping[str, Stored], largest: int) -> Iterator[dict[str, Stored]]:
    """The tensors in their order, cut where the next would not fit."""
    shard: dict[str, Stored] = {}
    size = 0
    for name, tensor in tensors.items():
        if shard and size + tensor.nbytes > largest:
            yield shard
            shard, size = {}, 0
        shard[name] = tensor
        size += tensor.nbytes
    yield shard
