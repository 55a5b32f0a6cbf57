"""`tttdit check`, which is also `tttdit-check`."""

from __future__ import annotations

import os
import sys

import click

from tttdit.checker.commands import options
from tttdit.checker.output import complain, write
from tttdit.checker.report import Scale
from tttdit.core.errors import UsageError

EPILOG = """\b
Examples:
  tttdit-check nine-seconds.toml
  tttdit-check specs/ --output-format json
  tttdit-check curriculum.toml --stage 9s --set text.segments=4
  cat spec.toml | tttdit-check -
  tttdit-check --verify nine-seconds.toml

\b
Exit codes: 0 nothing wrong (warnings allowed), 1 errors found, 2 the command
was wrong or a file could not be read.
"""


@click.command(epilog=EPILOG, short_help="Say whether specs will run.")
@options.paths
@options.output_format
@options.choosing
@click.option(
    "--verify",
    is_flag=True,
    help="Run a training step on torch beside the check's own and compare them, operator by operator; with small sizes.",
)
@click.option("--full", is_flag=True, help="With --verify: at the spec's own sizes, on tensors without data.")
def check(
    paths: tuple[str, ...],
    output_format: str,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
    verify: bool,
    full: bool,
) -> int:
    """Say whether specs will run, and what to change where they will not.

    PATH is a spec, a folder, or - for standard input. In a folder, and in all its folders, every .toml file is checked that looks like a
    spec (it has [video], [text], [model] or [[stage]], or a #:schema line that names tttdit) and does not say "# tttdit: skip".
    """
    from tttdit.checker.api import check_paths

    if full and not verify:
        raise UsageError("--full says how to verify: write --verify --full")
    scale: Scale | None = None if not verify else "full" if full else "small"
    report, unreadable = check_paths(paths, stage=stage, sets=sets, allowed=allowed, verify=scale)
    if output_format == "json":
        from tttdit.checker.render import json

        write(json.render(report))
    elif report.files:
        from tttdit.checker.render import full as for_people
        from tttdit.checker.render.paint import paint_for

        write(for_people.render(report, paint_for(sys.stdout, os.environ)))
    for message in unreadable:
        complain(message)
    return 2 if unreadable else 0 if report.ok else 1
