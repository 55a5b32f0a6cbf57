"""`tttdit shapes`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator

import click

from tttdit.checker.commands import options
from tttdit.checker.output import complain, write

EPILOG = """\b
Examples:
  tttdit shapes nine-seconds.toml
  tttdit shapes curriculum.toml --stage 63s --symbolic

\b
Exit codes: 0 shown, 1 the spec has errors, 2 the command was wrong or a file
could not be read.
"""


@click.command(epilog=EPILOG, short_help="List the shapes in the model.")
@options.paths
@click.option("--symbolic", is_flag=True, help="Formulas only, no numbers.")
@options.output_format
@options.choosing
def shapes(
    paths: tuple[str, ...],
    symbolic: bool,
    output_format: str,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
) -> int:
    """List the model's parameters, buffers and inputs and what its modules and regions return: name, formula, value.

    Inputs, parameters, intermediates and the prediction, for each stage. Layers that are alike are listed once, as layers.*.
    """
    from tttdit.checker.api import check_paths
    from tttdit.checker.render import full
    from tttdit.checker.render import shapes as tables
    from tttdit.checker.render.paint import paint_for
    from tttdit.checker.report import FORMAT, Report

    report = check_paths(paths, stage=stage, sets=sets, allowed=allowed)
    if output_format == "json":
        files = [tables.as_dict(file, symbolic=symbolic) for file in report.files]
        write([json.dumps({"version": FORMAT, "files": files}, indent=2)])
    else:
        paint = paint_for(sys.stdout, os.environ)

        def lines() -> Iterator[str]:
            for file in report.files:
                yield from tables.render(file, symbolic=symbolic, paint=paint)

        write(lines())
        wrong = Report(tuple(file for file in report.files if file.findings))
        if wrong.files:
            write(full.findings(wrong, paint_for(sys.stderr, os.environ)), sys.stderr)
    for message in report.unreadable:
        complain(message)
    return report.exit_code
