"""`tttdit schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tttdit.checker.commands import options
from tttdit.checker.output import write

EPILOG = """\b
Example:
  tttdit schema > tttdit.schema.json

and "#:schema tttdit.schema.json" as the first line of a spec beside it.
"""


@click.command(epilog=EPILOG, short_help="Print the JSON Schema of specs.")
@options.allow_plugin
def schema(allowed: tuple[str, ...]) -> int:
    """Print the JSON Schema of specs, with the tables of all installed plugins, for editors that complete TOML."""
    from tttdit.checker.schema import environment_schema
    from tttdit.core.plugin.registry import Registry

    registry = Registry.of_environment([Path(path) for path in allowed])
    write([json.dumps(environment_schema(registry), indent=2)])
    return 0
