"""Where a run stands: which stage is next, and which checkpoint it begins with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tttdit.core.errors import UsageError
from tttdit.core.running.checkpoints import checkpoint_at, newest, step_of
from tttdit.core.running.folder import RunFolder
from tttdit.core.stage import Stage


@frozen
class Begin:
    """Where a stage begins: in the middle (`resumed`), or with the weights of the stage before it, of a file, or new ones."""

    done: int = 0  # steps that lie behind it
    resumed: Path | None = None
    before: Path | None = None
    weights: Path | None = None

    def __str__(self) -> str:
        if self.resumed is not None:
            return f"goes on behind step {self.done:,}, from {self.resumed}"
        if self.before is not None:
            return f"starts with the weights of {self.before}"
        return f"starts with the weights of {self.weights}" if self.weights is not None else "starts with new weights"


def begin_of(stages: Sequence[Stage], index: int, folder: RunFolder, seen_from: Path, *, resumes: bool) -> Begin:
    """Where the stage of this index begins, as the folder is now. `stages` are all of the curriculum, `seen_from` its spec's folder.

    Raises UsageError where it goes on from a stage that has no checkpoint.
    """
    stage = stages[index]
    latest = newest(folder.checkpoints(stage.name)) if resumes else None
    if latest is not None:
        return Begin(done=step_of(latest), resumed=latest)
    if stage.checkpoint.init_from is not None:
        path = seen_from / stage.checkpoint.init_from
        of_a_run = checkpoint_at(path)
        return Begin(weights=path) if of_a_run is None else Begin(before=of_a_run)
    if index == 0:
        return Begin()
    before = stages[index - 1].name
    last = newest(folder.checkpoints(before))
    if last is None:
        raise UsageError(
            f'stage "{stage.name}" goes on from stage "{before}", which has no checkpoint in {folder.checkpoints(before)}: '
            f"run that first, or write checkpoint.init_from into the stage"
        )
    return Begin(before=last)


def is_done(stage: Stage, folder: RunFolder) -> bool:
    """Whether the stage's last checkpoint is that of its last step."""
    latest = newest(folder.checkpoints(stage.name))
    return latest is not None and step_of(latest) >= stage.training.steps
