"""The files that a manifest names: where they lie, and which tensors they hold, told from their headers."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol

from attrs import frozen

from tttdit.core import safetensors
from tttdit.core.errors import UsageError
from tttdit.plugins.precomputed.problem import Problem
from tttdit.plugins.precomputed.rules.damaged_file import DamagedFile
from tttdit.plugins.precomputed.rules.missing_file import MissingFile
from tttdit.plugins.precomputed.rules.outside_path import OutsidePath

LONGEST_HEADER = 2**20  # bytes; a sample has few tensors


@frozen
class Held:
    """A tensor of a file: torch's name for its type, and its shape."""

    dtype: str
    shape: tuple[int, ...]


class Headers(Protocol):
    """What looks at files."""

    def held(self, path: Path) -> dict[str, Held]:
        """The tensors of a file by their names; "" for a `.pt` file that is one tensor. Raises Problem where that cannot be told."""


def located(folder: Path, name: str, root: str | None) -> Path:
    """The file of this name, seen from the folder; `root` is where that lies, links followed, or None where files may lie anywhere.

    Raises Problem for one that is not there, or lies elsewhere.
    """
    path = folder / name
    try:
        if root is not None and os.path.commonpath([root, os.path.realpath(path)]) != root:
            raise Problem(OutsidePath(), str(path), f"lies outside of the folder {folder}")
        if not stat.S_ISREG(path.stat().st_mode):
            raise Problem(MissingFile(), str(path), "is no file")
    except FileNotFoundError:
        raise Problem(MissingFile(), str(path), "is not there") from None
    except OSError as error:
        raise Problem(MissingFile(), str(path), f"cannot be read: {error.strerror or error}") from None
    return path


def held_in_safetensors(path: Path) -> dict[str, Held]:
    """The tensors of a safetensors file. Raises Problem for one that is damaged."""
    try:
        entries = safetensors.read_header(path, LONGEST_HEADER)
    except UsageError as error:
        raise damaged(path, error) from None
    return {name: Held(entry.kind.name, entry.shape) for name, entry in entries.items()}


def damaged(path: Path, error: UsageError) -> Problem:
    """The problem that reading a file has met; the error begins with the file's name."""
    return Problem(DamagedFile(), str(path), str(error).removeprefix(str(path)).removeprefix(":").strip())
