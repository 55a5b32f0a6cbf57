"""What ended a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from tttdit.checker.ending.record import Record

Kind: TypeAlias = Literal[
    "finished",
    "running",
    "interrupted",
    "other_world",
    "out_of_gpu_memory",
    "out_of_host_memory",
    "lost_rank",
    "disk",
    "not_finite",
    "bad_sample",
    "error",
    "killed",
    "unknown",
]


@frozen(kw_only=True)
class Ending:
    """What ended a run: in a line, what shows it, what to change, and the command that goes on."""

    kind: Kind
    what: str
    seen: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    command: str = ""


@frozen(kw_only=True)
class Answer:
    """What `tttdit why` says of one run."""

    record: Record
    ending: Ending
    notes: tuple[str, ...] = field(default=())  # what else happened

    @property
    def finished(self) -> bool:
        """Whether all that was asked for has been done."""
        return self.ending.kind == "finished"

    @property
    def checkpoint(self) -> tuple[str, Path] | None:
        """The stage and the checkpoint that the run would go on from: of the last stage that has one."""
        known = list(self.record.checkpoints.items())
        return known[-1] if known else None

    def as_dict(self) -> Mapping[str, Any]:
        """For programs."""
        record, last = self.record, self.checkpoint
        return {
            "version": 1,
            "run": str(record.path),
            "ended": self.ending.kind,
            "finished": self.finished,
            "what": self.ending.what,
            "stage": record.stage or None,
            "step": record.step,
            "steps": record.steps,
            "launches": record.launches,
            "seen": list(self.ending.seen),
            "change": list(self.ending.change),
            "command": self.ending.command or None,
            "checkpoint": str(last[1]) if last is not None else None,
            "partial": [str(each) for each in record.partial],
            "notes": list(self.notes),
            "unreadable": list(record.unreadable),
        }
