"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def beside(path: Path) -> Path:
    """The name that a file has while this process writes it, in the same folder: hidden, and of no other process."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def write_whole(path: Path, text: str) -> None:
    """Writes a text beside its place, then puts it there. Raises OSError."""
    temporary = beside(path)
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def clear_away(folder: Path) -> None:
    """Removes what killed processes of this machine have left of files that they were writing `beside` others. Raises OSError."""
    for path in folder.glob(".*.tmp"):
        written_by = path.name.split(".")[-2]
        if written_by.isdecimal() and not _is_alive(int(written_by)):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
