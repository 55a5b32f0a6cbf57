"""`tttdit check`, which is also `tttdit-check`."""

from __future__ import annotations

import os
import sys

import click

from tttdit.checker.commands import options
from tttdit.checker.output import complain, write

EPILOG = """\b
Examples:
  tttdit-check nine-seconds.toml
  tttdit-check specs/ --output-format json
  tttdit-check curriculum.toml --stage 9s --set text.segments=4
  cat spec.toml | tttdit-check -

\b
Exit codes: 0 nothing wrong (warnings allowed), 1 errors found, 2 the command
was wrong or a file could not be read.
"""


@click.command(epilog=EPILOG, short_help="Say whether specs will run.")
@options.paths
@options.output_format
@options.choosing
def check(
    paths: tuple[str, ...], output_format: str, stage: str | None, sets: tuple[str, ...], allowed: tuple[str, ...]
) -> int:
    """Say whether specs will run, and what to change where they will not.

    PATH is a spec, a folder, or - for standard input. In a folder, and in all its folders, every .toml file is checked that looks like a
    spec (it has [video], [text], [model] or [[stage]], or a #:schema line that names tttdit) and does not say "# tttdit: skip".
    """
    from tttdit.checker.api import check_paths

    report, unreadable = check_paths(paths, stage=stage, sets=sets, allowed=allowed)
    if output_format == "json":
        from tttdit.checker.render import json

        write(json.render(report))
    elif report.files:
        from tttdit.checker.render import full
        from tttdit.checker.render.paint import paint_for

        write(full.render(report, paint_for(sys.stdout, os.environ)))
    for message in unreadable:
        complain(message)
    return 2 if unreadable else 0 if report.ok else 1
