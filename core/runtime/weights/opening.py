"""Which weights lie at a path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tttdit.core.errors import UsageError
from tttdit.core.runtime.weights.distributed import METADATA, distributed_checkpoint
from tttdit.core.runtime.weights.reading import Source, indexed_files, safetensors_file

_INDEX = ".safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".ckpt")  # of torch.save


def open_source(path: Path, folders: Iterable[str] = ()) -> Source:
    """The weights at a path: a safetensors file, an index of several, or a folder that holds one of these or a DCP checkpoint.

    `folders` are names of folders in which the weights may lie, when `path` is a folder without any. Raises UsageError for
    what is none of these, damaged, or cannot be read.
    """
    try:
        return _opened(path, folders)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def _opened(path: Path, folders: Iterable[str]) -> Source:
    if path.is_dir():
        found = _in_folder(path)
        inner = [path / name for name in folders if (path / name).is_dir()]
        if found is None and inner:
            path, found = inner[0], _in_folder(inner[0])
        if found is None:
            raise UsageError(
                f"{path} holds no weights: no *.safetensors, no *{_INDEX}, no {METADATA}{_pickles_in(path)}"
            )
        return found
    if not path.exists():
        raise UsageError(f"{path} is not there")
    if not path.is_file():
        raise UsageError(f"{path} is neither a file nor a folder")
    if path.name.endswith(_INDEX):
        return indexed_files(path)
    if path.name == METADATA:
        return distributed_checkpoint(path.parent)
    if path.suffix in PICKLES:
        raise UsageError(f"{path} is a pickle, which is not read: save it as safetensors (safetensors.torch.save_file)")
    return safetensors_file(path)


def _in_folder(folder: Path) -> Source | None:
    """What lies directly in a folder. Raises UsageError where that is not one thing."""
    names = sorted(path.name for path in folder.iterdir())
    indices = [name for name in names if name.endswith(_INDEX)]
    files = [name for name in names if name.endswith(".safetensors")]
    if METADATA in names and not indices and not files:
        return distributed_checkpoint(folder)
    one = indices or files
    if METADATA in names or len(one) > 1:
        choices = [*indices, *([] if indices else files), *([METADATA] if METADATA in names else [])]
        raise UsageError(f"{folder} holds several: name one of {', '.join(choices)}")
    if not one:
        return None
    return indexed_files(folder / one[0]) if indices else safetensors_file(folder / one[0])


def _pickles_in(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    return f"; {names[0]} is a pickle, which is not read" if names else ""
