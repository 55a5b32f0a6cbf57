"""One stage from its first values, or from a checkpoint in the middle, to its last step."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from tttdit.core.errors import RunError
from tttdit.core.plugin.references import load
from tttdit.core.plugin.weight_names import weight_names
from tttdit.core.running.checkpoints import facts_of
from tttdit.core.running.course import PlannedStage
from tttdit.core.running.position import Begin
from tttdit.core.runtime.checkpoints.loading import load as load_state
from tttdit.core.runtime.data.loading import Batch, Loader
from tttdit.core.runtime.data.source import Source
from tttdit.core.runtime.proof.rank import RankBytes
from tttdit.core.runtime.sharding import mesh_of
from tttdit.core.runtime.training.averaging import Average
from tttdit.core.runtime.training.launch import Launch
from tttdit.core.runtime.training.optimizing import adamw
from tttdit.core.runtime.training.saving import Saver
from tttdit.core.runtime.training.starting import spread_model
from tttdit.core.runtime.training.state import TrainingState
from tttdit.core.runtime.training.step import Stepper, StepResult, data_position
from tttdit.core.runtime.training.stopping import Pause
from tttdit.core.runtime.training.validating import Validation
from tttdit.core.runtime.weights.loading import load_weights
from tttdit.core.stage import Stage

PREDICTED = ("total_bytes", "reserved_bytes", "outside_bytes", "host_bytes", "peak_at")
DIFFERENCE = 0.02  # of measured from predicted memory that is worth a word


class StageRun:
    """The model, the optimizer and the samples of one stage, and the loop over its steps."""

    def __init__(
        self,
        planned: PlannedStage,
        launch: Launch,
        start: Begin,
        *,
        measures: bool = False,
        expected: int | None = None,
    ) -> None:
        """Builds and loads everything. With `measures` the CPU's memory is measured too, of which `expected` is the peak.

        Raises RunError and UsageError for what cannot be had.
        """
        self._launch, self._planned, self._stage = launch, planned, planned.stage
        stage, world = self._stage, launch.world
        self._model = spread_model(stage, mesh_of(stage.parallelism, world.device.type), world.device)
        self._optimizer = adamw(self._model, stage)
        self._state = TrainingState(self._model, self._optimizer)
        done = self._load(start)
        self._pause = Pause(done)
        self._source = source_of(stage, launch.data_folder)
        self._stepper = Stepper(self._model, self._optimizer, stage, world, self._state.average)
        self._saver = Saver(stage, launch, self._state, self._pause, self._stepper)
        self._in_a_row = 0
        on_cuda = world.device.type == "cuda"
        self._measures = measures and not on_cuda
        self._measured: int | None = None
        self._expected = planned.predicted_peak if on_cuda else expected if measures else None
        self._spoke_of_memory = False

    def run(self) -> None:
        """Makes the steps that are left, and the last checkpoint. Raises RunError where training cannot go on."""
        stage, launch = self._stage, self._launch
        first, steps = self._pause.finished, stage.training.steps
        launch.reporter.event(
            "stage_started", stage=stage.name, step=first, steps=steps, predicted=_told(self._planned.predicted)
        )
        launch.reporter.begin(stage, first)
        batches, validation = self._batches(first), self._validation()
        launch.on_stop(stage.name, self._saver.save_where_it_stands)
        try:
            result: StepResult | None = None
            for number in range(first, steps):
                self._at(number, "step")
                with self._rod() as rod:
                    result = self._stepper.step(number, batches, self._pause)
                self._measured = rod.peak if rod is not None else self._cuda_peak()
                self._report(number + 1, result)
                if validation is not None and self._is_due(number + 1, stage.training.validation_interval):
                    self._validate(validation, number + 1)
                if self._is_due(number + 1, stage.checkpoint.interval):
                    self._saver.save(number + 1)
        finally:
            launch.on_stop(stage.name, None)
            launch.reporter.end()
        loss = result.loss if result is not None else None
        launch.reporter.event("stage_finished", stage=stage.name, step=steps, loss=loss)
        launch.reporter.say(
            f"{stage.name}: all {steps:,} steps are done; {self._saver.checkpoints.folder} has the weights"
        )

    def free(self) -> None:
        """Lets go of the model before the next stage builds its own."""
        del self._model, self._optimizer, self._stepper, self._state, self._saver
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    # -- beginning

    def _load(self, start: Begin) -> int:
        """Fills the model, and the optimizer where it goes on; the steps that are done."""
        stage, decay = self._stage, self._stage.training.average_decay
        self._at(0, "start")
        self._launch.reporter.say(f"{stage.name}: {start}")
        if start.resumed is not None:
            facts = facts_of(start.resumed)
            self._state.make_optimizer_state(facts["optimizer_steps"])
            self._state.average = Average(self._model, decay) if decay is not None else None
            load_state(start.resumed, self._state.parts, self._launch.groups.saving)
            return int(facts["step"])
        if start.before is not None:
            load_state(start.before, self._state.model, self._launch.groups.saving)
        elif start.weights is not None:
            found = load_weights(self._model, start.weights, weight_names(stage.assembly.model))
            if found.new:
                self._launch.reporter.say(f"{stage.name}: {len(found.new):,} parameters that are not there are new")
        self._state.average = Average(self._model, decay) if decay is not None else None
        return 0

    def _batches(self, first: int) -> Iterator[Batch]:
        stage, world = self._stage, self._launch.world
        data, training = stage.assembly.data, stage.training
        assert data is not None
        rank, ranks = data_position(stage, world)
        held_out = training.validation_samples if training.validation_interval else 0
        if held_out >= len(self._source):
            raise RunError(
                "error",
                f'stage "{stage.name}" has {len(self._source):,} samples and training.validation_samples = {held_out:,} holds '
                "all of them out: hold fewer out, or give it more",
            )
        return iter(
            Loader(
                source=self._source,
                wanted=wanted_of(stage),
                samples=len(self._source) - held_out,
                seed=training.seed,
                stage=stage.name,
                shuffle=data.shuffles(stage.data),
                batch=int(stage.dims["B"]),
                rank=rank,
                ranks=ranks,
                workers=data.workers(stage.data),
                first=first * training.grad_accum_steps,
                pin=world.device.type == "cuda",
                skips_bad=data.skips_bad(stage.data),
            )
        )

    def _validation(self) -> Validation | None:
        if not self._stage.training.validation_interval:
            return None
        return Validation(self._source, wanted_of(self._stage), self._stage, self._launch.world)

    # -- between steps

    def _is_due(self, step: int, interval: int) -> bool:
        return step == self._stage.training.steps or (interval > 0 and step % interval == 0)

    def _report(self, step: int, result: StepResult) -> None:
        stage, reporter = self._stage, self._launch.reporter
        for where in result.bad_samples:
            reporter.event("bad_sample", stage=stage.name, step=step, where=where)
            reporter.say(f"{stage.name} step {step:,}: a sample was left out: {where}")
        peak, predicted = self._measured, self._expected
        tokens = (
            int(stage.dims["L"]) * int(stage.dims["B"]) * stage.training.grad_accum_steps * self._stepper.data_ranks
        )
        reporter.step(
            {
                "time": time.time(),
                "stage": stage.name,
                "step": step,
                "steps": stage.training.steps,
                "loss": result.loss,
                "gradient_norm": result.gradient_norm,
                "lr": result.lr,
                "lr_mixer": result.lr_mixer,
                "seconds": result.seconds,
                "tokens_per_second": tokens / result.seconds,
                "data_seconds": result.data_seconds,
                "peak_bytes": peak,
                "predicted_bytes": predicted,
                "skipped": result.bad is not None,
            }
        )
        if peak is not None and predicted is not None and not self._spoke_of_memory:
            self._compare(peak, predicted)
        self._count_skipped(step, result)

    def _count_skipped(self, step: int, result: StepResult) -> None:
        if result.bad is None:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        most = self._stage.training.skipped_steps
        self._launch.reporter.event(
            "skipped_step", stage=self._stage.name, step=step, in_a_row=self._in_a_row, tensor=result.bad
        )
        self._launch.reporter.say(
            f"{self._stage.name} step {step:,} is skipped: {result.bad} is not finite (loss {result.loss}, gradient norm "
            f"{result.gradient_norm}); {self._in_a_row} of at most {most} in a row"
        )
        if self._in_a_row >= most:
            raise RunError(
                "not_finite",
                f"{self._in_a_row} steps in a row were not finite, the last one because of {result.bad}: the weights are those "
                f"from before them. Lower optimizer.lr, or look at the samples",
            )

    def _validate(self, validation: Validation, step: int) -> None:
        self._at(step, "validation")
        loss = validation.loss(self._model)
        self._launch.reporter.validated(
            {"time": time.time(), "stage": self._stage.name, "step": step, "validation_loss": loss}
        )

    def _cuda_peak(self) -> int | None:
        """The most that a step has had on this GPU so far; CUDA's counter."""
        return torch.cuda.max_memory_allocated() if self._launch.world.device.type == "cuda" else None

    def _rod(self) -> AbstractContextManager[RankBytes | None]:
        """What counts a step's bytes on the CPU, where somebody has asked for that."""
        if not self._measures:
            return nullcontext()
        return RankBytes(self._state.all_tensors, look_inside=False)

    def _compare(self, measured: int, predicted: int) -> None:
        difference = measured / predicted - 1
        if abs(difference) <= DIFFERENCE:
            return
        self._spoke_of_memory = True
        cause = (
            "kernels' workspaces that nobody documents (attention by cuDNN, cuBLASLt), or a plugin that allocates outside "
            "of what its module shows"
            if difference > 0
            else "gradients that were not there in this step, or kernels that keep less than those of the version that "
            "predictions are made for"
        )
        self._launch.reporter.say(
            f"memory: {measured:,} bytes at peak, {difference:+.1%} from the predicted {predicted:,}; most likely {cause} "
            "(docs/memory.md lists what is left out)"
        )

    def _at(self, step: int, doing: str) -> None:
        self._launch.watch.at(stage=self._stage.name, step=step, doing=doing)


def _told(predicted: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Of a prediction, what an event says."""
    return None if predicted is None else {name: predicted[name] for name in PREDICTED}


def source_of(stage: Stage, folder: Path) -> Source:
    """The stage's samples. Raises RunError for a data source that only announces a table."""
    data = stage.assembly.data
    assert data is not None
    if data.source is None:
        raise RunError(
            "error", f'the data source "{data.name}" of stage "{stage.name}" says nothing of where samples come from'
        )
    source: Source = load(data.source)(stage.data, wanted_of(stage), folder)
    return source


def wanted_of(stage: Stage) -> dict[str, tuple[int, ...]]:
    """The shapes of one sample, as plain numbers."""
    return {name: tuple(map(int, shape)) for name, shape in stage.sample_shapes().items()}
