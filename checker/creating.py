"""Makes a new file, whole or not at all; `create` never in the place of another, `replace` in the place of what a run before has made."""

from __future__ import annotations

import os
import tempfile
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


def replace(path: str, data: bytes) -> None:
    """Writes the bytes to a file, new or in the place of an ordinary one, beside its place first.

    Raises UsageError, with what was there as it was, if the file cannot be written.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            raise UsageError(f"cannot write {path}: it is no ordinary file")
        descriptor, beside = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".partial", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(beside, 0o666 & ~_mask())
            os.replace(beside, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot write {path}: {why}") from None


def _mask() -> int:
    """What the process takes from the permissions of its files."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
