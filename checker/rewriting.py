"""Gives a file new contents: as a whole or not at all, and only if it still is what was read.

The new contents are written beside it, flushed to the disk, and then renamed over it. A link stays a link: the file that it leads to is
replaced. Permissions stay, and owner and group where the system lets them.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress

from tttdit.core.errors import UsageError


def rewrite(path: str, data: bytes, *, was: bytes) -> None:
    """Writes the bytes to the file, which held `was` when it was read.

    Raises UsageError, with the file as it was, if it has changed since then, must not be written, or there is no room.
    """
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"cannot write {path}: it is no ordinary file")
        if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise UsageError(f"cannot write {path}: it is read-only")
        _refuse_if_changed(path, target, was)
        _replace(path, target, data, status, was)
    except FileNotFoundError:
        raise UsageError(f"cannot write {path}: it is no longer there") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}; it is as it was") from None


def _replace(path: str, target: str, data: bytes, status: os.stat_result, was: bytes) -> None:
    folder, name = os.path.split(target)
    descriptor, beside = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".partial", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            with suppress(PermissionError):  # of somebody else's file only root can keep the owner
                os.chown(beside, status.st_uid, status.st_gid)
            os.chmod(beside, stat.S_IMODE(status.st_mode))
            os.fsync(file.fileno())
        _refuse_if_changed(path, target, was)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    with suppress(OSError):  # not every system can flush a folder
        _flush(folder)


def _refuse_if_changed(path: str, target: str, was: bytes) -> None:
    with open(target, "rb") as file:
        if file.read() != was:
            raise UsageError(f"cannot write {path}: it has changed since it was read")


def _flush(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
