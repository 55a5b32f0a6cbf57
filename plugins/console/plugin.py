"""Announces the logger `console`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Logger


@hookimpl
def tttdit_loggers() -> list[Logger]:
    """One line every few steps."""
    return [
        Logger(
            name="console",
            summary="Prints loss, learning rates, memory and time a step to the terminal.",
            table="tttdit.plugins.console.spec:ConsoleTable",
            writer="tttdit.plugins.console.writer:ConsoleWriter",
        )
    ]
