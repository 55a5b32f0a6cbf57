"""The command line: `tttdit`, and `tttdit-check` for `tttdit check`.

Commands are imported when they are called. Whatever happens, nobody sees a traceback: what is wrong with a command is one line and exit
code 2, and so is a mistake of ours, which asks to be reported (`TTTDIT_DEBUG=1` shows where it was made).
"""

from __future__ import annotations

import difflib
import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from tttdit.checker.output import complain, write
from tttdit.core.errors import SpecError, TttditError

COMMANDS = (
    "check",
    "run",
    "sample",
    "prepare",
    "data",
    "why",
    "launch",
    "memory",
    "plan",
    "explain",
    "solve",
    "shapes",
    "plugins",
    "doctor",
    "rule",
    "schema",
    "convert",
    "convert-weights",
    "export",
    "completion",
    "lsp",
)

EPILOG = """\b
Examples:
  tttdit check nine-seconds.toml
  tttdit shapes nine-seconds.toml --symbolic
  tttdit plugins
"""


class _Commands(click.Group):
    """Commands that stand in files of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"tttdit.checker.commands.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            meant = f'; did you mean "{near[0]}"?' if near else ""
            ctx.fail(f'there is no command "{args[0]}"{meant} (there are {", ".join(COMMANDS)})')
        return super().resolve_command(ctx, args)


def _show_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        import tttdit

        click.echo(f"tttdit {tttdit.__version__}")
        ctx.exit()


version_option = click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)


@click.group(
    cls=_Commands,
    epilog=EPILOG,
    invoke_without_command=True,
)
@version_option
@click.pass_context
def tttdit_command(ctx: click.Context) -> None:
    """Type checker and memory planner for long-video diffusion transformers."""
    if ctx.invoked_subcommand is None:
        write(ctx.get_help().splitlines(), sys.stderr)
        ctx.exit(2)


def main() -> NoReturn:
    """`tttdit`."""
    run(tttdit_command, "tttdit")


def check_main() -> NoReturn:
    """`tttdit-check`."""
    from tttdit.checker.commands.check import check

    run(version_option(check), "tttdit-check")


def run(command: click.Command, name: str) -> NoReturn:
    """Runs a command and ends the program with its exit code."""
    sys.exit(outcome(command, name, sys.argv[1:]))


def outcome(command: click.Command, name: str, arguments: list[str]) -> int:
    """Runs a command with these arguments; its exit code."""
    try:
        code = command.main(arguments, prog_name=name, standalone_mode=False, help_option_names=["-h", "--help"])
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        return _refuse(error)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except SpecError as error:
        for line in str(error).splitlines():
            complain(line)
        return 2
    except TttditError as error:
        complain(str(error))
        return 2
    except Exception as error:
        if os.environ.get("TTTDIT_DEBUG"):
            raise
        complain(
            f"this should not have happened: {type(error).__name__}: {' '.join(str(error).split())[:200]}; "
            "please report it, with the spec (TTTDIT_DEBUG=1 shows where it happened)"
        )
        return 2


def _refuse(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    complain(" ".join(error.format_message().split()))  # click lists choices on lines of their own
    if context is not None:
        complain(f"{context.command_path} --help shows how it is used")
    return 2
