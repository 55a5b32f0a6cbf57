"""What all stages of a launch share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import define, field

from tttdit.core.running.folder import RunFolder
from tttdit.core.runtime.training.reporting import Reporter
from tttdit.core.runtime.training.world import Groups, World
from tttdit.core.runtime.watching import MemoryWatch

Saver = Callable[[], tuple[int, bool]]  # the step where it stands, and whether that is on disk


@define
class Launch:
    """One start of `tttdit run` on one rank."""

    world: World
    folder: RunFolder
    data_folder: Path  # of the spec's file: where paths of data and weights are seen from
    reporter: Reporter
    watch: MemoryWatch
    groups: Groups
    stage: str = field(default="", init=False)
    saver: Saver | None = field(default=None, init=False)

    def on_stop(self, stage: str, saver: Saver | None) -> None:
        """What saves the state of a stage when a signal comes; None where everything that is worth it has been saved."""
        self.stage, self.saver = stage, saver
