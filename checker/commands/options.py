"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])


def offering(what: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]:
    """Completion in a shell by the function of `tttdit.checker.completing` that has this name; it is imported when a shell asks."""

    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from tttdit.checker import completing

        found: list[CompletionItem[str]] = getattr(completing, what)(ctx, incomplete)
        return found

    return complete


paths = click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())

output_format = click.option(
    "--output-format",
    type=click.Choice(["full", "json"]),
    default="full",
    show_default=True,
    help="For people, or for programs.",
)

stage = click.option(
    "--stage", metavar="NAME", shell_complete=offering("stages"), help="Look at this stage of a curriculum only."
)

sets = click.option(
    "--set",
    "sets",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=offering("settings"),
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

budget = click.option(
    "--budget",
    "budget_text",
    metavar="BYTES",
    help="What a GPU can hold, such as 74GiB or 80GB. By default what the GPU that the spec names can.",
)


def choosing(command: Command) -> Command:
    """The options that say what is looked at: --stage, --set, --allow-plugin."""
    return stage(sets(allow_plugin(command)))


def silencing(command: Command) -> Command:
    """The options that say of which codes to hear: --select, --ignore."""
    selected = click.option(
        "--select",
        metavar="CODES",
        multiple=True,
        shell_complete=offering("codes"),
        help="Hear of these codes only: --select TTD2,TTD501. What codes begin with stands for all of them. May be repeated.",
    )
    ignored = click.option(
        "--ignore",
        metavar="CODES",
        multiple=True,
        shell_complete=offering("codes"),
        help="Do not hear of these. A longer selector counts more than a shorter one: --select TTD201 --ignore TTD2.",
    )
    return selected(ignored(command))
