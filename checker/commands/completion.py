"""`tttdit completion`."""

from __future__ import annotations

import click

from tttdit.checker.output import write

EPILOG = """\b
Examples, each for the file that your shell reads when it starts:
  eval "$(tttdit completion bash)"    in ~/.bashrc
  eval "$(tttdit completion zsh)"     in ~/.zshrc, after compinit
  tttdit completion fish | source     in ~/.config/fish/config.fish
"""

# The programs, as pyproject.toml installs them.
_PROGRAMS = ("tttdit", "tttdit-check")


@click.command(epilog=EPILOG, short_help="Print a script that completes commands in your shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print a script that completes tttdit and tttdit-check in your shell: commands, options, files, codes, stages and keys."""
    from click.shell_completion import get_completion_class

    from tttdit.checker.cli import tttdit_command

    found = get_completion_class(shell)
    assert found is not None
    for program in _PROGRAMS:
        variable = f"_{program.replace('-', '_')}_COMPLETE".upper()
        write(found(tttdit_command, {}, program, variable).source().splitlines())
    return 0
