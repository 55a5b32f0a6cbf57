"""Writing to a terminal, a file or a pipe that somebody may close."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from tttdit.checker.render.text import visible
from tttdit.core.errors import UsageError


def write(lines: Iterable[str], stream: TextIO | None = None) -> bool:
    """Writes lines; whether anybody reads them. A pipe whose reader has gone takes them without complaint.

    What the stream's encoding lacks is spelled out. Raises `UsageError` where writing fails: a full disk, a closed stream.
    """
    stream = sys.stdout if stream is None else stream
    if stream is None:  # closed by whoever started us
        raise UsageError("cannot write: standard output is closed")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return _sent(stream, lambda: stream.writelines(line + "\n" for line in lines))


def write_bytes(data: bytes) -> bool:
    """Writes bytes to standard output as they are; otherwise as `write`."""
    stream = sys.stdout
    if stream is None:
        raise UsageError("cannot write: standard output is closed")
    return _sent(stream, lambda: stream.buffer.write(data))


def _sent(stream: TextIO, send: Callable[[], object]) -> bool:
    try:
        send()
        stream.flush()
    except OSError as error:
        # what is still in the buffer must not fail again when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"cannot write: {error.strerror or error}") from None
        return False
    return True


def complain(message: str) -> None:
    """One line for people on standard error."""
    if sys.stderr is not None:
        with suppress(UsageError):  # nobody can be told
            write([f"tttdit: {visible(message)}"], sys.stderr)


@contextmanager
def going_on() -> Iterator[None]:
    """What takes long, and is done piece by piece: who stops it is told that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        complain("stopped; the same command goes on, and does not do again what is done")
        raise
