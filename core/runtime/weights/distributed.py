"""Reads checkpoints of torch.distributed.checkpoint (DCP): a folder with `.metadata` and `*.distcp` files.

`.metadata` is a pickle, and torch reads it as one: unpickling may call whatever it names. Here it makes inert records of what a DCP names
and is refused if it names anything else; from the records, once they are found to be what they should be, torch's own objects
are made. So nothing of the file is run. The tensors torch reads with `weights_only=True`.
"""

from __future__ import annotations

import io
import math
import pickle
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemReader, _StorageInfo
from torch.distributed.checkpoint.metadata import (
    ChunkStorageMetadata,
    Metadata,
    MetadataIndex,
    TensorProperties,
    TensorStorageMetadata,
)
from torch.distributed.checkpoint.state_dict_loader import load

from tttdit.core.errors import UsageError
from tttdit.core.plugin.references import one_line
from tttdit.core.runtime.weights.formats import DTYPES, Stored, check_plain, read_whole

METADATA = ".metadata"

_LARGEST_METADATA = 256 * 2**20  # bytes
_LONGEST_REASON = 200  # characters of what torch says


@frozen
class DistributedSource:
    """The tensors of a DCP checkpoint."""

    path: Path
    tensors: Mapping[str, Stored]
    others: Mapping[str, str]
    metadata: Metadata  # of the tensors

    def reader(self) -> FileSystemReader:
        """What torch reads several tensors by at once, on any mesh."""
        return _Reader(self.path, self.metadata)

    def read(self, name: str) -> Tensor:
        """One tensor, put together from its chunks; besides it, the chunk that is being read is in memory."""
        stored = self.tensors[name]
        try:
            tensor = torch.empty(stored.shape, dtype=stored.dtype)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "torch.distributed is disabled")  # as is meant
                load({name: tensor}, storage_reader=self.reader(), no_dist=True)
        except (Exception, CheckpointException) as error:  # torch raises many kinds, and wraps them in one
            cause = error.failures[0][0] if isinstance(error, CheckpointException) else error
            reason = one_line(cause)[:_LONGEST_REASON]
            raise UsageError(f'{self.path}: "{name}" cannot be read: {reason}') from None
        return tensor


def distributed_checkpoint(folder: Path) -> DistributedSource:
    """The checkpoint in a folder. Raises UsageError for a `.metadata` that is none, or names what no checkpoint needs."""
    path = folder / METADATA
    records = _read_records(path)
    try:
        return _checked(folder, path, records)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is no metadata of a checkpoint: {one_line(error)}") from None


def _read_records(path: Path) -> Any:
    pickled = read_whole(path, _LARGEST_METADATA, "metadata of a checkpoint")
    try:
        return _Unpickler(io.BytesIO(pickled), path).load()
    except UsageError:
        raise
    except Exception as error:  # a damaged pickle fails in any way
        raise UsageError(f"{path} is no metadata of a checkpoint: {one_line(error)}") from None


def _checked(folder: Path, path: Path, records: Any) -> DistributedSource:
    """The source, from records that may be anything: whatever they are not makes one of Python's own exceptions."""
    tensors: dict[str, Stored] = {}
    others: dict[str, str] = {}
    entries: dict[str, TensorStorageMetadata] = {}
    for name, entry in records.fields["state_dict_metadata"].items():
        if entry.kind == "TensorStorageMetadata":
            entries[name] = _tensor(entry)
            tensors[name] = _stored(path, name, entries[name])
        else:
            others[name] = "no tensor, but pickled Python, which is not read"
    places = {
        MetadataIndex(index.fields["fqn"], _sizes(index.fields["offset"])): _place(info)
        for index, info in records.fields["storage_data"].items()
        if index.fields["fqn"] in tensors
    }
    check_plain(path, (place.relative_path for place in places.values()))
    metadata = Metadata(dict(entries), storage_data=places)
    return DistributedSource(folder, tensors, others, metadata)


def _tensor(record: Any) -> TensorStorageMetadata:
    chunks = [
        ChunkStorageMetadata(_sizes(chunk.fields["offsets"]), _sizes(chunk.fields["sizes"]))
        for chunk in record.fields["chunks"]
    ]
    (dtype, *_) = record.fields["properties"].state
    return TensorStorageMetadata(TensorProperties(dtype=dtype), _sizes(record.fields["size"]), chunks)


def _place(record: Any) -> _StorageInfo:
    path, offset, length = (record.fields[name] for name in ("relative_path", "offset", "length"))
    if not isinstance(path, str):
        raise TypeError(f"a file's name is {path!r}")
    if record.fields.get("transform_descriptors"):
        raise ValueError("its tensors are compressed, or otherwise transformed")
    return _StorageInfo(path, *_sizes((offset, length)))


def _sizes(values: Any) -> torch.Size:
    if not all(type(value) is int and value >= 0 for value in values):
        raise ValueError(f"{values!r} are no sizes")
    return torch.Size(values)


def _stored(path: Path, name: str, entry: TensorStorageMetadata) -> Stored:
    dtype, shape = entry.properties.dtype, tuple(entry.size)
    if dtype not in DTYPES.values():
        raise UsageError(f'{path}: "{name}" is of the type {dtype}, which safetensors files do not have')
    there = sum(math.prod(chunk.sizes) for chunk in entry.chunks)
    if there != math.prod(shape):
        raise UsageError(f'{path}: "{name}" has {math.prod(shape):,} numbers, and its chunks hold {there:,}')
    return Stored(dtype, shape)


class _Record:
    """What stands for an object of any class that the metadata names: what it was made from and its state, nothing else."""

    kind = ""
    state: Any = None

    def __init__(self, *_: Any) -> None:
        """Whatever it is made from."""

    def __setstate__(self, state: Any) -> None:
        """What pickle restores an object's attributes with."""
        self.state = state

    @property
    def fields(self) -> dict[str, Any]:
        """The attributes of a dataclass. Raises TypeError where it has none."""
        if not isinstance(self.state, dict):
            raise TypeError(f"a {self.kind} has no fields")
        return self.state


class _Unpickler(pickle.Unpickler):
    """Makes records, each of a class of its own, so that not even their classes can be tampered with."""

    def __init__(self, file: io.BytesIO, path: Path) -> None:
        super().__init__(file)
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """What stands for this name."""
        if module == "torch" and isinstance(dtype := getattr(torch, name, None), torch.dtype):
            return dtype
        if (module, name) == ("torch", "Size"):
            return tuple
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        within = module.startswith("torch.distributed.") or module in ("pathlib", "pathlib._local")
        if within or (module, name) == ("torch.serialization", "_get_layout"):
            return type(name, (_Record,), {"kind": name})
        raise UsageError(f"{self._path} names {module}.{name}, which no checkpoint needs: it is not read")


class _Reader(FileSystemReader):
    """torch's reader, given the metadata: its own way of reading them runs whatever they name."""

    def __init__(self, folder: Path, metadata: Metadata) -> None:
        super().__init__(folder)
        self._metadata = metadata

    def read_metadata(self, *_: Any, **__: Any) -> Metadata:
        """What was read before."""
        return self._metadata
