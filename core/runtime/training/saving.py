"""When a stage's checkpoints are written, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch.distributed as distributed

from tttdit.core.errors import RunError
from tttdit.core.running.checkpoints import partial
from tttdit.core.runtime.checkpoints.saving import Checkpoints
from tttdit.core.runtime.training.launch import Launch
from tttdit.core.runtime.training.state import TrainingState
from tttdit.core.runtime.training.step import Stepper
from tttdit.core.runtime.training.stopping import Pause
from tttdit.core.runtime.training.world import beside
from tttdit.core.stage import Stage


class Saver:
    """Saves the state of one stage: every so many steps, at the end, and where it stands when a signal comes."""

    def __init__(self, stage: Stage, launch: Launch, state: TrainingState, pause: Pause, stepper: Stepper) -> None:
        self._stage, self._launch, self._state, self._pause, self._stepper = stage, launch, state, pause, stepper
        self.checkpoints = Checkpoints(
            launch.folder.checkpoints(stage.name),
            keep=stage.checkpoint.keep,
            group=launch.groups.saving,
            on_failure=self._tell_failure,
        )
        for left in partial(self.checkpoints.folder):
            launch.reporter.say(
                f"{stage.name}: {left} was not finished; it is not loaded, and goes with the next checkpoint"
            )

    def save(self, step: int) -> None:
        """A checkpoint of this step. Where it cannot be written training goes on; at the end that raises RunError."""
        reporter, name = self._launch.reporter, self._stage.name
        self._launch.watch.at(stage=name, step=step, doing="checkpoint")
        reporter.event("saving", stage=name, step=step)
        began = time.perf_counter()
        try:
            with self._pause.changing():
                asynchronous = self._goes_on_meanwhile()
                path = self.checkpoints.save(step, self._state.parts, self._facts(step), asynchronous=asynchronous)
                if step == self._stage.training.steps:
                    self.checkpoints.wait()
        except RunError as error:
            if step == self._stage.training.steps:
                raise
            self._tell_failure(step, error)
            return
        seconds = time.perf_counter() - began
        reporter.event("copied" if asynchronous else "saved", stage=name, step=step, path=str(path), seconds=seconds)
        done = "copied, to be written while training goes on" if asynchronous else "saved"
        reporter.say(f"{name} step {step:,}: {done} in {seconds:.1f} s, {path}")

    def save_where_it_stands(self) -> tuple[int, bool]:
        """Saves the last step that all ranks have finished, in another thread than that of the steps; it, and whether it is on disk."""
        step = self._pause.hold(self._latest_of_all)
        if step == 0:
            return step, False
        try:
            self.checkpoints.wait()
        except RunError as error:  # an earlier one, in the background: this one may succeed
            self._tell_failure(step, error)
        if not self.checkpoints.has(step):
            with beside(self._launch.world.device, self._stepper.changed):
                self.checkpoints.save(step, self._state.parts, self._facts(step))
        return step, True

    def _goes_on_meanwhile(self) -> bool:
        """Whether training goes on while the checkpoint is written: as the spec says, if main memory has room for the copy."""
        if not self._stage.checkpoint.asynchronous:
            return False
        if self.checkpoints.has_room(self._state.parts, self._launch.watch.room()):
            return True
        self._launch.reporter.say(
            "main memory has no room for a copy of the state: the checkpoint is written in pieces, at once"
        )
        return False

    def _tell_failure(self, step: int, error: RunError) -> None:
        reporter, name = self._launch.reporter, self._stage.name
        reporter.event("not_saved", stage=name, step=step, why=str(error))
        reporter.say(f"{name} step {step:,} is not saved: {error}; training goes on")

    def _facts(self, step: int) -> Mapping[str, Any]:
        mesh = self._stage.parallelism
        return {
            "stage": self._stage.name,
            "step": step,
            "steps": self._stage.training.steps,
            "mesh": [mesh.dp_replicate, mesh.dp_sharding, mesh.tp_sharding],
            "optimizer_steps": self._state.optimizer_steps,
        }

    def _latest_of_all(self, finished: int) -> int:
        every = [0] * self._launch.world.size
        distributed.all_gather_object(every, finished, group=self._launch.groups.stopping)
        return max(every)
