"""What each task of a job does: it is one rank, and runs `tttdit run` beside itself, so that signals can be handed on."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from types import FrameType
from typing import Any

from attrs import define, field

from tttdit.core.running import exit_codes
from tttdit.core.running.checkpoints import newest, step_of


@define
class RankTask:
    """Called by submitit in every task of a job. Raises RuntimeError where the jobs that depend on it must not start."""

    command: tuple[str, ...]
    last_checkpoints: Path  # of the job's last stage
    last_steps: int
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _was_asked: bool = field(default=False, init=False)

    def __call__(self) -> int:
        """Trains as one rank; the exit code of `tttdit run`."""
        from submitit import JobEnvironment
        from submitit.helpers import TorchDistributedEnvironment

        job = JobEnvironment()
        TorchDistributedEnvironment().export(set_cuda_visible_devices=False, overwrite=True)
        # submitit's own handler would only save and requeue on the first rank; all ranks have to be told to save
        signal.signal(job._usr_sig(), self._ask)
        self._child = subprocess.Popen(self.command, preexec_fn=lambda: _ignore(job._usr_sig()))
        code = self._child.wait()
        if code == exit_codes.INTERRUPTED and self._was_asked:
            if job.global_rank == 0:
                job._requeue(0)
            return code
        if code == exit_codes.FINISHED or (code == exit_codes.OTHER_WORLD and self._is_done()):
            return exit_codes.FINISHED
        raise RuntimeError(f"{' '.join(self.command)} ended with exit code {code}; tttdit why says why")

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        """Time is nearly over, or others need the nodes: saves, and the job is queued again."""
        self._was_asked = True
        if self._child is not None:
            self._child.terminate()

    def _is_done(self) -> bool:
        """Whether this job's stages are behind it; the stage that needs another number of ranks is the next job's, then."""
        latest = newest(self.last_checkpoints)
        return latest is not None and step_of(latest) >= self.last_steps


def _ignore(number: Any) -> None:
    """Slurm signals all processes of a task; only the one that hands signals on is to hear of this one."""
    signal.signal(number, signal.SIG_IGN)
