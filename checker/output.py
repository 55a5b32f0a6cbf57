"""Writing to a terminal, a file or a pipe that somebody may close."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from tttdit.checker.render.text import visible
from tttdit.core.errors import UsageError


def write(lines: Iterable[str], stream: TextIO | None = None) -> None:
    """Writes lines. A pipe whose reader has gone takes them without complaint; what the stream's encoding lacks is spelled out."""
    stream = sys.stdout if stream is None else stream
    if stream is None:  # closed by whoever started us
        raise UsageError("cannot write: standard output is closed")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        for line in lines:
            stream.write(line + "\n")
        stream.flush()
    except OSError as error:
        # what is still in the buffer must not fail again when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"cannot write: {error.strerror or error}") from None


def complain(message: str) -> None:
    """One line for people on standard error."""
    if sys.stderr is not None:
        with suppress(UsageError):  # nobody can be told
            write([f"tttdit: {visible(message)}"], sys.stderr)
