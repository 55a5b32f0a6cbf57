"""`tttdit rule`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import click

from tttdit.checker.commands import options
from tttdit.checker.output import complain, write
from tttdit.core.errors import UsageError

EPILOG = """\b
Examples:
  tttdit rule TTD201
  tttdit rule sequence-mini-batch
  tttdit rule --all
  tttdit rule --all --output-format json
"""


@click.command(epilog=EPILOG, short_help="Say what a code means, and what to do.")
@click.argument("codes", metavar="CODE...", nargs=-1, shell_complete=options.offering("codes"))
@click.option("--all", "everything", is_flag=True, help="List all rules, those of installed plugins included.")
@options.output_format
@options.allow_plugin
def rule(codes: tuple[str, ...], everything: bool, output_format: str, allowed: tuple[str, ...]) -> int:
    """Say of a code what it means: what is wrong, why it matters, an example, what to write instead, and how safe its fix is.

    CODE is a code, TTD201, or the name of a rule, sequence-mini-batch.
    """
    from tttdit.checker.pages import Pages
    from tttdit.checker.render import rules
    from tttdit.checker.render.paint import paint_for
    from tttdit.core.plugin.registry import Registry

    if bool(codes) == everything:
        raise UsageError("name codes, such as TTD201, or ask for --all")
    known = Pages.of(Registry.of_environment([Path(path) for path in allowed]))
    for problem in known.problems:
        complain(problem)
    chosen = known.all if everything else [page for code in codes for page in known.named(code)]
    if output_format == "json":
        write([json.dumps({"version": 1, "rules": [page.as_dict() for page in chosen]}, indent=2)])
        return 0
    columns, paint = shutil.get_terminal_size().columns, paint_for(sys.stdout, os.environ)
    if everything:
        write(rules.listing(chosen, columns, paint))
    else:
        write(
            line
            for page in chosen
            for line in ([""] if page is not chosen[0] else []) + list(rules.page(page, columns, paint))
        )
    return 0
