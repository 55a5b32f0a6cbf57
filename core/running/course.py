"""What one launch is to train: the stages of a curriculum, where they leave what they make, and how the run is started again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from tttdit.core.running.folder import RunFolder
from tttdit.core.stage import Stage


@frozen
class PlannedStage:
    """A stage that was checked, and what was predicted of its memory, as the report has it; None where nothing could be."""

    stage: Stage
    predicted: Mapping[str, Any] | None = None

    @property
    def world_size(self) -> int:
        """How many ranks it needs."""
        mesh = self.stage.parallelism
        return mesh.dp_replicate * mesh.dp_sharding * mesh.tp_sharding

    @property
    def predicted_peak(self) -> int | None:
        """What CUDA's counter is expected to say of a step's peak."""
        return self.predicted["total_bytes"] if self.predicted is not None else None


@frozen(kw_only=True)
class Course:
    """What one launch is to train."""

    planned: tuple[PlannedStage, ...]  # of the whole curriculum
    chosen: tuple[int, ...]  # the stages that this launch may train, in their order
    folder: RunFolder
    data_folder: Path  # of the spec's file: where paths of data and weights are seen from
    resumes: bool  # from what the folder has
    checkpoint: Path | None  # to go on from, wherever it is
    grace: float  # seconds that saving may take after a signal
    command: Callable[[int], str]  # what starts the run again on so many ranks
    measures: bool  # on the CPU too, operator by operator, what a step takes
    calibrates: bool  # two steps of each stage, measured, instead of training
    expect: Callable[[PlannedStage, str], Mapping[str, int]]  # what a measurement on a kind of device should say
    remedy: Callable[[PlannedStage, int], Iterable[str]]  # lines about what would have fitted a GPU of so many bytes

    @property
    def stages(self) -> list[Stage]:
        """The stages of the whole curriculum."""
        return [each.stage for each in self.planned]
