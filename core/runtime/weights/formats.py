"""The safetensors format (https://github.com/huggingface/safetensors): its types of numbers and its header.

A file is the header's length (8 bytes, little-endian), the header (JSON: each tensor's type, shape and place), and the tensors' bytes,
without gaps. The header is read here and not by the safetensors package for three reasons: reading through its memory map makes the whole
file resident, it takes a name that stands twice, and what is wrong with a file should be said in words.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from attrs import frozen

from tttdit.core.errors import UsageError

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}

_LENGTH = 8  # bytes, of the header's length
_ALIGNMENT = 8  # of the first tensor
_LONGEST_HEADER = 100_000_000  # bytes; the safetensors package's own bound


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
    return len(text).to_bytes(_LENGTH, "little") + text


def read_header(path: Path) -> dict[str, Placed]:
    """The tensors of a file, in the order of their bytes. Raises UsageError for what is no whole safetensors file."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            text = _text(path, file, size)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    content = parse(path, text, "its header")
    content.pop("__metadata__", None)
    begin = _LENGTH + len(text)
    tensors = {name: _placed(path, name, entry, begin) for name, entry in content.items()}
    _check_cover(path, tensors, begin, size)
    return dict(sorted(tensors.items(), key=lambda item: item[1].offset))


def parse(path: Path, text: bytes, what: str) -> dict[str, Any]:
    """A JSON object in which no name stands twice. `what` it is of the file says the UsageError for anything else."""

    def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise UsageError(f'{path}: {what} has "{name}" twice')
            found[name] = value
        return found

    try:
        content = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {what} is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: {what} is no JSON object")
    return content


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


def _text(path: Path, file: BinaryIO, size: int) -> bytes:
    length = int.from_bytes(file.read(_LENGTH), "little")
    if size < _LENGTH or not 2 <= length <= _LONGEST_HEADER or file.read(1) not in (b"{", b""):
        raise UsageError(f"{path} is no safetensors file: it does not begin with a header")
    if _LENGTH + length > size:
        raise UsageError(f"{path} is not whole: its header takes {length:,} bytes, and {size - _LENGTH:,} are there")
    file.seek(_LENGTH)
    return file.read(length)


def _placed(path: Path, name: str, entry: object, begin: int) -> Placed:
    def wrong(what: str) -> UsageError:
        return UsageError(f'{path}: the tensor "{name}" {what}')

    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
        raise wrong("lacks its type, its shape or its place")
    shape, place, kind = entry["shape"], entry["data_offsets"], entry["dtype"]
    if not isinstance(kind, str) or kind not in DTYPES:
        raise wrong(f"is of the type {json.dumps(kind)}, which is none of {', '.join(DTYPES)}")
    if not _are_sizes(shape) or not _are_sizes(place) or len(place) != 2:
        raise wrong("has a shape or a place that is no list of whole numbers")
    tensor = Placed(DTYPES[kind], tuple(shape), begin + place[0])
    if place[1] - place[0] != tensor.nbytes:
        raise wrong(f"takes {tensor.nbytes:,} bytes by its shape and type, and {place[1] - place[0]:,} by its place")
    return tensor


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(each) is int and 0 <= each < 2**63 for each in value)


def _check_cover(path: Path, tensors: Mapping[str, Placed], begin: int, size: int) -> None:
    """Every byte after the header belongs to one tensor."""
    end = begin
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].offset, item[1].nbytes)):
        if tensor.offset != end:
            raise UsageError(f'{path}: the tensor "{name}" begins at byte {tensor.offset:,}, where {end:,} is next')
        end += tensor.nbytes
    if end > size:
        raise UsageError(f"{path} is not whole: its tensors end at byte {end:,}, the file at {size:,}")
    if end < size:
        raise UsageError(f"{path} has {size - end:,} bytes after its last tensor: it is damaged")
