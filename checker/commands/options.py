"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

paths = click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())

output_format = click.option(
    "--output-format",
    type=click.Choice(["full", "json"]),
    default="full",
    show_default=True,
    help="For people, or for programs.",
)

stage = click.option("--stage", metavar="NAME", help="Look at this stage of a curriculum only.")

sets = click.option(
    "--set",
    "sets",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set a key, over what the spec and its stages say: --set text.segments=3. May be repeated.",
)

allow_plugin = click.option(
    "--allow-plugin",
    "allowed",
    metavar="PATH",
    multiple=True,
    type=click.Path(),
    help="Use the plugin in this file or folder. Its code is run. May be repeated.",
)


def choosing(command: Command) -> Command:
    """The options that say what is looked at: --stage, --set, --allow-plugin."""
    return stage(sets(allow_plugin(command)))
