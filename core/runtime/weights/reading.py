"""Reads safetensors: one file, or several that an index keeps together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from attrs import field, frozen
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.runtime.weights.formats import Placed, Stored, check_plain, read_header, read_whole
from tttdit.core.safetensors import parse

_LONGEST_INDEX = 100_000_000  # bytes


class Source(Protocol):
    """Weights at a path, whatever their format."""

    @property
    def path(self) -> Path:
        """Where they lie."""

    @property
    def tensors(self) -> Mapping[str, Stored]:
        """What there is, by name."""

    @property
    def others(self) -> Mapping[str, str]:
        """What there is besides tensors: name, and what it is."""

    def read(self, name: str) -> Tensor:
        """One tensor, in memory of its own. Raises UsageError where that fails."""


@frozen
class SafetensorsSource:
    """The tensors of safetensors files: which file has which, and where."""

    path: Path
    tensors: Mapping[str, Placed]
    files: Mapping[str, Path]
    others: Mapping[str, str] = field(factory=dict)

    def read(self, name: str) -> Tensor:
        """One tensor, read into new memory: not through a memory map, which would keep the whole file resident."""
        placed, path = self.tensors[name], self.files[name]
        tensor = torch.empty(placed.shape, dtype=placed.dtype)
        left = tensor.view(-1).view(torch.uint8).numpy().data
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(placed.offset)
                while left:
                    read = file.readinto(left)
                    if not read:
                        raise UsageError(f'{path} became shorter while "{name}" was read from it')
                    left = left[read:]
        except OSError as error:
            raise UsageError(f'{path}: "{name}" cannot be read: {error.strerror or error}') from None
        return tensor


def safetensors_file(path: Path) -> SafetensorsSource:
    """One file. Raises UsageError for what is no whole safetensors file."""
    tensors = read_header(path)
    return SafetensorsSource(path, tensors, dict.fromkeys(tensors, path))


def indexed_files(index: Path) -> SafetensorsSource:
    """The files beside an index (`*.safetensors.index.json`). Raises UsageError where they and the index disagree in anything."""
    places = _read_index(index)
    tensors: dict[str, Placed] = {}
    files: dict[str, Path] = {}
    for shard in dict.fromkeys(places.values()):
        path = index.parent / shard
        if not path.is_file():
            raise UsageError(f'{index} names "{shard}", which is not there')
        for name, tensor in read_header(path).items():
            if places.get(name) != shard:
                elsewhere = f'places in "{places[name]}"' if name in places else "does not name"
                raise UsageError(f'{path} holds "{name}", which {index.name} {elsewhere}')
            tensors[name], files[name] = tensor, path
    for name, shard in places.items():
        if name not in tensors:
            raise UsageError(f'{index} places "{name}" in "{shard}", which does not hold it')
    return SafetensorsSource(index, tensors, files)


def _read_index(path: Path) -> dict[str, str]:
    places = parse(path, read_whole(path, _LONGEST_INDEX, "index"), "the index").get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(shard, str) for shard in places.values()):
        raise UsageError(f'{path} is no index: it has no "weight_map" of names and files')
    check_plain(path, places.values())
    return places
