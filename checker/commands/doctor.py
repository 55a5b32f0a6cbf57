"""`tttdit doctor`."""

from __future__ import annotations

import os
import sys

import click

from tttdit.checker.commands import options
from tttdit.checker.output import write

EPILOG = """\b
Examples:
  tttdit doctor
  tttdit doctor --output-format json > doctor.json

\b
Exit codes: 0 torch and all plugins can be used, 1 something cannot, 2 the
command was wrong.
"""


@click.command(epilog=EPILOG, short_help="Say what this machine has, for an issue.")
@options.output_format
def doctor(output_format: str) -> int:
    """Say what this machine has: versions, plugins, GPUs and their links, limits of the container, variables that matter.

    Made to be pasted into an issue: it names no user, no host and no folder, and of the environment only what changes a run.
    """
    from tttdit.checker.doctor.examining import examine
    from tttdit.checker.render import doctor as rendering
    from tttdit.checker.render.paint import paint_for

    found = examine()
    if output_format == "json":
        write([rendering.as_json(found)])
    else:
        write(rendering.render(found, paint_for(sys.stdout, os.environ)))
    return 0 if found.is_well else 1
