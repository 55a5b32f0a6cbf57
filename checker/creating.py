"""Makes a new file: whole or not at all, and never in the place of another."""

from __future__ import annotations

import os
from contextlib import suppress

from tttdit.core.errors import UsageError


def create(path: str, data: bytes) -> None:
    """Writes the bytes to a file that is not there yet, beside its place first.

    Raises FileExistsError if something is there, however late it came; UsageError if the file cannot be written.
    """
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name[:100]}.{os.getpid()}.partial")
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)  # unlike a renaming, it refuses to replace
        finally:
            with suppress(OSError):
                os.unlink(beside)
    except FileExistsError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot write {path}: {why}") from None
