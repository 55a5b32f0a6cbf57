"""`tttdit lsp`."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import BinaryIO

import click

from tttdit.checker.commands import options
from tttdit.core.errors import UsageError

EPILOG = """\b
docs/editor.md shows how editors start it.
"""


@click.command(epilog=EPILOG, short_help="Serve an editor: findings as you type.")
@options.allow_plugin
def lsp(allowed: tuple[str, ...]) -> int:
    """Serve an editor over standard input and output, by the Language Server Protocol.

    It shows findings as you type, what a key means and what follows from it, and offers fixes. Needs pip install 'tttdit[lsp]'.

    Exit codes: 0 the editor said goodbye, 1 it went away without, 2 the command was wrong.
    """
    if find_spec("pygls") is None:
        raise UsageError("the language server needs pygls: pip install 'tttdit[lsp]'")
    from tttdit.checker.checking import Checker
    from tttdit.checker.lsp.server import serve

    reader, writer = _protocol_streams()
    checker = Checker(allowed=allowed)
    assert checker.registry is not None  # a plugin that cannot be used is told now, not in the editor
    return serve(checker, reader, writer)


def _protocol_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for the protocol alone: whatever else prints, a plugin's file say, prints on standard error from now on."""
    if sys.stdin is None or sys.stdout is None:
        raise UsageError("the language server talks over standard input and output, and one of them is closed")
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return reader, writer
