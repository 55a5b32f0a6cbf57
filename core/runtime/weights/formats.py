"""Tensors in files, as torch sees them: their types and shapes, and the header of a safetensors file (core/safetensors.py)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from attrs import frozen

from tttdit.core import safetensors
from tttdit.core.errors import UsageError
from tttdit.core.safetensors import KINDS, LENGTH_BYTES

DTYPES: dict[str, torch.dtype] = {name: getattr(torch, kind.name) for name, kind in KINDS.items()}

_ALIGNMENT = 8  # of the first tensor


@frozen
class Stored:
    """A tensor in a file, not yet read."""

    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return math.prod(self.shape) * self.dtype.itemsize


@frozen
class Placed(Stored):
    """A tensor whose bytes begin at `offset` of its file."""

    offset: int


def header(tensors: Mapping[str, Stored], metadata: Mapping[str, str]) -> bytes:
    """The bytes before the tensors' own, for tensors that follow in this order."""
    types = {dtype: name for name, dtype in DTYPES.items()}
    content: dict[str, object] = {"__metadata__": dict(metadata)}
    begin = 0
    for name, tensor in tensors.items():
        end = begin + tensor.nbytes
        content[name] = {"dtype": types[tensor.dtype], "shape": tensor.shape, "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(content, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def read_header(path: Path, longest: int = safetensors.LONGEST_HEADER) -> dict[str, Placed]:
    """The tensors of a safetensors file, in the order of their bytes. Raises UsageError for what is no whole one."""
    return {
        name: Placed(getattr(torch, entry.kind.name), entry.shape, entry.offset)
        for name, entry in safetensors.read_header(path, longest).items()
    }


def read_whole(path: Path, longest: int, what: str) -> bytes:
    """A file of at most `longest` bytes. Raises UsageError for one that is longer, and so not `what` it should be, or cannot be read."""
    try:
        if path.stat().st_size > longest:
            raise UsageError(f"{path} is no {what}: it is longer than {longest:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def check_plain(path: Path, names: Iterable[str]) -> None:
    """Raises UsageError unless these are names of files, and no paths: a file names only what lies beside it."""
    for name in set(names):
        if name in ("", ".", "..") or any(character in name for character in "/\\\0"):
            raise UsageError(f'{path} names the file "{name}", which does not lie beside it')
