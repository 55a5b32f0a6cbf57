"""The header of the safetensors format (https://github.com/huggingface/safetensors): which tensors a file holds. It is read without torch.

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

from attrs import frozen

from tttdit.core.errors import UsageError

LENGTH_BYTES = 8  # of the header's length
LONGEST_HEADER = 100_000_000  # bytes; the safetensors package's own bound
_MOST_DIMENSIONS = 64  # of a tensor


@frozen
class Kind:
    """A type of numbers: torch's name for it, and the bytes that a number takes."""

    name: str
    nbytes: int

    @property
    def is_floating(self) -> bool:
        """Whether numbers of it are floating-point numbers."""
        return "float" in self.name


KINDS = {
    "F64": Kind("float64", 8),
    "F32": Kind("float32", 4),
    "F16": Kind("float16", 2),
    "BF16": Kind("bfloat16", 2),
    "F8_E4M3": Kind("float8_e4m3fn", 1),
    "F8_E5M2": Kind("float8_e5m2", 1),
    "I64": Kind("int64", 8),
    "I32": Kind("int32", 4),
    "I16": Kind("int16", 2),
    "I8": Kind("int8", 1),
    "U8": Kind("uint8", 1),
    "BOOL": Kind("bool", 1),
}


@frozen
class Entry:
    """A tensor of a file: its type, its shape, and the byte of the file at which it begins."""

    kind: Kind
    shape: tuple[int, ...]
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return math.prod(self.shape) * self.kind.nbytes


def read_header(path: Path, longest: int = LONGEST_HEADER) -> dict[str, Entry]:
    """The tensors of a file, in the order of their bytes; its header is at most `longest` bytes.

    Raises UsageError for what is no whole safetensors file.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            text = _text(path, file, size, longest)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    content = parse(path, text, "its header")
    content.pop("__metadata__", None)
    begin = LENGTH_BYTES + len(text)
    entries = {name: _entry(path, name, entry, begin) for name, entry in content.items()}
    _check_cover(path, entries, begin, size)
    return dict(sorted(entries.items(), key=lambda item: item[1].offset))


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


def _text(path: Path, file: BinaryIO, size: int, longest: int) -> bytes:
    length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if size < LENGTH_BYTES or not 2 <= length <= LONGEST_HEADER or file.read(1) not in (b"{", b""):
        raise UsageError(f"{path} is no safetensors file: it does not begin with a header")
    if length > longest:
        raise UsageError(f"{path} has a header of {length:,} bytes, and at most {longest:,} are read")
    if LENGTH_BYTES + length > size:
        raise UsageError(
            f"{path} is not whole: its header takes {length:,} bytes, and {size - LENGTH_BYTES:,} are there"
        )
    file.seek(LENGTH_BYTES)
    return file.read(length)


def _entry(path: Path, name: str, entry: object, begin: int) -> Entry:
    def wrong(what: str) -> UsageError:
        return UsageError(f'{path}: the tensor "{name}" {what}')

    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
        raise wrong("lacks its type, its shape or its place")
    shape, place, kind = entry["shape"], entry["data_offsets"], entry["dtype"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise wrong(f"is of the type {json.dumps(kind)}, which is none of {', '.join(KINDS)}")
    if not _are_sizes(shape) or not _are_sizes(place) or len(place) != 2:
        raise wrong("has a shape or a place that is no list of whole numbers")
    if len(shape) > _MOST_DIMENSIONS:
        raise wrong(f"has {len(shape):,} dimensions, and at most {_MOST_DIMENSIONS} are read")
    tensor = Entry(KINDS[kind], tuple(shape), begin + place[0])
    if place[1] - place[0] != tensor.nbytes:
        raise wrong(f"takes {tensor.nbytes:,} bytes by its shape and type, and {place[1] - place[0]:,} by its place")
    return tensor


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(each) is int and 0 <= each < 2**63 for each in value)


def _check_cover(path: Path, entries: Mapping[str, Entry], begin: int, size: int) -> None:
    """Every byte after the header belongs to one tensor."""
    end = begin
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].offset, item[1].nbytes)):
        if entry.offset != end:
            raise UsageError(f'{path}: the tensor "{name}" begins at byte {entry.offset:,}, where {end:,} is next')
        end += entry.nbytes
    if end > size:
        raise UsageError(f"{path} is not whole: its tensors end at byte {end:,}, the file at {size:,}")
    if end < size:
        raise UsageError(f"{path} has {size - end:,} bytes after its last tensor: it is damaged")
