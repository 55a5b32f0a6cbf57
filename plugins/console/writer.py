"""Writes metrics to the terminal and the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tttdit.core.running.wording import line_of
from tttdit.plugins.console.spec import ConsoleTable


class ConsoleWriter:
    """A line for the first step, every `log_interval` steps, and the last."""

    def __init__(self, table: ConsoleTable, folder: Path, say: Callable[[str], None]) -> None:
        self._interval, self._say, self._first = table.log_interval, say, True

    def write(self, metrics: Mapping[str, Any]) -> None:
        """A step's; of a validation the run itself speaks."""
        if "loss" not in metrics:
            return
        if self._first or metrics["step"] % self._interval == 0 or metrics["step"] == metrics["steps"]:
            self._say(line_of(metrics))
        self._first = False

    def close(self) -> None:
        """Nothing is kept."""
