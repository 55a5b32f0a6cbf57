"""Where a run keeps what."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen


@frozen
class RunFolder:
    """The folder of one run: `tttdit run --output` names it."""

    path: Path
    checkpoint_folder: str = "checkpoints"  # `checkpoint.folder` of the spec: seen from here, or absolute

    @property
    def spec(self) -> Path:
        """The spec as it was resolved, with every default."""
        return self.path / "spec.toml"

    @property
    def report(self) -> Path:
        """What the check said, as JSON."""
        return self.path / "report.json"

    @property
    def log(self) -> Path:
        """What was said while it ran, line by line."""
        return self.path / "log.txt"

    @property
    def metrics(self) -> Path:
        """A JSON line a step, and one a validation."""
        return self.path / "metrics.jsonl"

    @property
    def events(self) -> Path:
        """A JSON line for whatever happened: launches, stages, checkpoints, ends."""
        return self.path / "events.jsonl"

    @property
    def tensorboard(self) -> Path:
        """The metrics as TensorBoard reads them."""
        return self.path / "tensorboard"

    def memory_of(self, rank: int) -> Path:
        """A JSON line a second of what memory was on this rank."""
        return self.path / f"memory-{rank}.jsonl"

    def checkpoints(self, stage: str) -> Path:
        """The checkpoints of one stage."""
        return self.path / self.checkpoint_folder / stage
