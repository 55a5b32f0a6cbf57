"""What a run tells: events, metrics, the log, the terminal. Only the first rank has a voice; the others' reporters are silent."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol

from tqdm import tqdm

from tttdit.core.plugin.references import load
from tttdit.core.running.folder import RunFolder
from tttdit.core.running.lines import append
from tttdit.core.running.wording import line_of, parts_of
from tttdit.core.stage import Stage

# Plain lines, where nobody sees a bar and no logger says how often: one in so many seconds, and the first and the last step.
SECONDS_BETWEEN_LINES = 10.0


class Writer(Protocol):
    """What a logger's `writer` makes: somewhere metrics go besides the run's folder."""

    def write(self, metrics: Mapping[str, Any]) -> None:
        """One step's, or one validation's, as metrics.jsonl has them."""

    def close(self) -> None:
        """There will be no more."""


class Reporter:
    """One run's; `begin` and `end` a stage."""

    def __init__(self, folder: RunFolder, *, leads: bool) -> None:
        self.folder = folder
        self.leads = leads
        self._bar: tqdm[Any] | None = None
        self._board: Any = None
        self._writers: list[Writer] = []
        self._spoke = 0.0

    def event(self, name: str, **facts: Any) -> None:
        """Something that happened, for `tttdit why`."""
        if self.leads:
            append(self.folder.events, {"time": time.time(), "event": name, **facts})

    def say(self, text: str) -> None:
        """A line for people: on the terminal and in the log."""
        if not self.leads:
            return
        self.note(text)
        if self._bar is not None:
            self._bar.write(text, file=sys.stdout)
        else:
            print(text, flush=True)

    def note(self, text: str) -> None:
        """A line for the log only."""
        if not self.leads:
            return
        with self.folder.log.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def begin(self, stage: Stage, first: int) -> None:
        """A stage's steps begin behind so many that are done."""
        if not self.leads:
            return
        from torch.utils.tensorboard.writer import SummaryWriter

        self._board = SummaryWriter(str(self.folder.tensorboard / stage.name), purge_step=first + 1)
        logger = stage.assembly.logger
        if logger is not None and logger.writer is not None:
            self._writers = [load(logger.writer)(stage.logging, self.folder.path, self.say)]
        if sys.stderr is not None and sys.stderr.isatty():
            self._bar = tqdm(
                total=stage.training.steps,
                initial=first,
                desc=stage.name,
                unit="step",
                dynamic_ncols=True,
                file=sys.stderr,
            )

    def step(self, metrics: Mapping[str, Any]) -> None:
        """One step's metrics."""
        if not self.leads:
            return
        self._write(metrics)
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(parts_of(metrics)), refresh=False)
            self._bar.update()
        elif not self._writers:
            last = metrics["step"] == metrics["steps"]
            if last or time.monotonic() - self._spoke >= SECONDS_BETWEEN_LINES:
                self._spoke = time.monotonic()
                self.say(line_of(metrics))

    def validated(self, metrics: Mapping[str, Any]) -> None:
        """One validation's metrics."""
        self._write(metrics)
        if self.leads:
            self.say(f"{metrics['stage']} step {metrics['step']:,}: validation loss {metrics['validation_loss']:.4f}")

    def end(self) -> None:
        """The stage's steps are over, or broke off."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if self._board is not None:
            self._board.close()
            self._board = None
        for writer in self._writers:
            writer.close()
        self._writers = []

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _write(self, metrics: Mapping[str, Any]) -> None:
        if not self.leads:
            return
        append(self.folder.metrics, metrics)
        for name, value in metrics.items():
            if name not in ("time", "stage", "step") and isinstance(value, (int, float)) and self._board is not None:
                self._board.add_scalar(name, value, metrics["step"])
        for writer in self._writers:
            writer.write(metrics)
