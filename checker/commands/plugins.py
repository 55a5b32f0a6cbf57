"""`tttdit plugins`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from attrs import asdict

from tttdit.checker.commands import options
from tttdit.checker.output import write
from tttdit.checker.render.paint import Paint, paint_for
from tttdit.checker.render.text import table, visible
from tttdit.core.plugin.registry import Listed, Registry

EPILOG = """\b
Examples:
  tttdit plugins
  tttdit plugins --json
  tttdit plugins --allow-plugin my_mixer.py
"""


@click.command(epilog=EPILOG, short_help="List what is installed.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@options.allow_plugin
def plugins(as_json: bool, allowed: tuple[str, ...]) -> int:
    """List what is installed: models, mixers, codecs and the rest, and what each brings.

    Exit codes: 0 listed, 1 something that is installed cannot be used, 2 the command was wrong.
    """
    registry = Registry.of_environment([Path(path) for path in allowed])
    listed = registry.listing()
    problems = [problem.message for problem in registry.problems]
    if as_json:
        content = {"version": 1, "plugins": [asdict(one) for one in listed], "problems": problems}
        write([json.dumps(content, indent=2)])
    else:
        write(_lines(listed, problems, paint_for(sys.stdout, os.environ)))
    return 1 if problems or any(one.problem for one in listed) else 0


def _lines(listed: tuple[Listed, ...], problems: list[str], paint: Paint) -> Iterator[str]:
    kind = None
    rows = table((one.name, f"{one.distribution} {one.version or ''}".strip(), one.summary) for one in listed)
    for one, row in zip(listed, rows, strict=True):
        if one.kind != kind:
            kind = one.kind
            yield paint(kind, "strong")
        yield row
        for what, values in (
            ("keys", one.keys),
            ("presets", one.presets),
            ("regions", one.regions),
            ("rules", one.rules),
        ):
            if values:
                yield f"      {what}: {visible(', '.join(values))}"
        if one.problem:
            yield f"      {paint('cannot be used', 'error')}: {visible(one.problem)}"
    for problem in problems:
        yield f"{paint('problem', 'error')}: {visible(problem)}"
