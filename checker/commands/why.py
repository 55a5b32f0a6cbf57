"""`tttdit why`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tttdit.checker.commands import options
from tttdit.checker.output import write

EPILOG = """\b
Examples:
  tttdit why runs/tiny
  tttdit why runs/tiny --output-format json

\b
Exit codes: 0 the run is finished, 1 it is not, 2 the folder is none of a run.
"""


@click.command(epilog=EPILOG, short_help="Say what ended a run, and what to change.")
@click.argument("path", metavar="FOLDER", type=click.Path(path_type=Path))
@options.output_format
def why(path: Path, output_format: str) -> int:
    """Say what ended a run: finished, stopped, out of memory, a lost rank, a full disk, killed without a word; and what to change.

    FOLDER is that of a run, runs/NAME. It is only read.
    """
    import time

    from tttdit.checker.ending.answering import answer
    from tttdit.checker.render import why as rendering
    from tttdit.checker.render.paint import paint_for

    found = answer(path, time.time())
    if output_format == "json":
        write([rendering.as_json(found)])
    else:
        write(rendering.render(found, paint_for(sys.stdout, os.environ)))
    return 0 if found.finished else 1
