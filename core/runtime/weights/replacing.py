"""New files and folders that appear under their names whole or not at all.

What is written stands under another name beside the final one, `.NAME.PROCESS.partial`, until it is complete and on the disk; then it is
renamed. A process that is killed leaves that, which nobody reads and anybody may delete.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path

from tttdit.core.errors import UsageError
from tttdit.core.runtime.weights.writing import INDEX

_OURS = ("model.safetensors", "model-*-of-*.safetensors", INDEX)


def check_free(path: Path, *, overwrite: bool, folder: bool) -> None:
    """Raises UsageError if a file, or a `folder`, cannot be written there: something is in the way, or there is nowhere to put it."""
    try:
        there, somewhere = path.exists(), path.parent.is_dir()
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    if not somewhere:
        raise UsageError(f"{path.parent} is no folder")
    if not there:
        return
    if path.is_dir() != folder:
        raise UsageError(
            f"{path} is a {'file' if folder else 'folder'}, and a {'folder' if folder else 'file'} is to be written"
        )
    if not overwrite:
        raise UsageError(f"{path} is there already: --overwrite replaces it")
    if folder:
        strange = [name for name in sorted(os.listdir(path)) if not any(fnmatchcase(name, ours) for ours in _OURS)]
        if strange:
            raise UsageError(f"{path} is not replaced: it holds {strange[0]}, which is no file of weights of ours")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write a file or a folder to. It takes the place of `path` at the end, unless an exception ended it."""
    path = Path(
        os.path.realpath(path)
    )  # "." has no name of its own, and a link stays one: what it leads to is replaced
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    _remove(partial)
    try:
        yield partial
        if path.is_dir():
            before = path.with_name(f".{path.name}.{os.getpid()}.before")
            path.rename(before)
            partial.rename(path)
            _remove(before)
        else:
            partial.replace(path)
        _flush(path.parent)
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """The folder's entries to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
