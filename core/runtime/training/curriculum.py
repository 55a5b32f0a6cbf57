"""Stages in their order, each from the last checkpoint of the one before; a launch ends where one needs another number of ranks."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from attrs import asdict

from tttdit.core.errors import RunError
from tttdit.core.running import exit_codes
from tttdit.core.running.checkpoints import step_of
from tttdit.core.running.course import Course, PlannedStage
from tttdit.core.running.files import write_whole
from tttdit.core.running.position import Begin, begin_of, is_done
from tttdit.core.running.resolved import resolved_text
from tttdit.core.runtime.training.calibrating import calibrate
from tttdit.core.runtime.training.failures import failure_of
from tttdit.core.runtime.training.launch import Launch
from tttdit.core.runtime.training.lost import lost_rank
from tttdit.core.runtime.training.reporting import Reporter
from tttdit.core.runtime.training.stage_run import StageRun
from tttdit.core.runtime.training.stopping import Stopper
from tttdit.core.runtime.training.world import World, joined
from tttdit.core.runtime.watching import MemoryWatch


def train(course: Course, world: World) -> int:
    """Trains; the exit code (`core.running.exit_codes`). On the first rank it says what happens, and writes it into the run's folder."""
    warnings.filterwarnings(
        "ignore", message="FSDP2-wrapped module"
    )  # the output is a view, which nobody changes in place
    timeout = max(each.stage.parallelism.timeout_seconds for each in course.planned)
    with Reporter(course.folder, leads=world.leads) as reporter:
        reporter.event(
            "launched",
            version=version("tttdit"),
            torch=torch.__version__,
            python=platform.python_version(),
            world_size=world.size,
            device=str(world.device),
            host=platform.node(),
            pid=os.getpid(),
            resumed=course.resumes
            and any(course.folder.checkpoints(each.stage.name).is_dir() for each in course.planned),
            command=course.command(world.size),
        )
        at: list[PlannedStage] = []
        try:
            with (
                joined(world, timeout) as groups,
                MemoryWatch(course.folder, world.rank, warn=reporter.say, device=world.device) as watch,
            ):
                launch = Launch(world, course.folder, course.data_folder, reporter, watch, groups)
                with Stopper(_stopper(course, launch), grace=course.grace, code=exit_codes.INTERRUPTED) as stopper:
                    try:
                        return _stages(course, launch, at)
                    except Exception as error:
                        stopper.wait_if_stopping()  # with another rank gone a step fails; that is no failure of the run
                        lost = lost_rank(error, world, groups, timeout)
                        if lost is None:
                            raise
                        raise lost from error
        except Exception as error:
            failure = failure_of(error)
            _tell(failure, error, course, reporter, at[-1] if at else None)
            return exit_codes.FAILED


def _stages(course: Course, launch: Launch, at: list[PlannedStage]) -> int:
    checkpoint = course.checkpoint
    for index in course.chosen:
        planned, stage = course.planned[index], course.stages[index]
        if checkpoint is None and course.resumes and not course.calibrates and is_done(stage, course.folder):
            launch.reporter.say(f"{stage.name}: all {stage.training.steps:,} steps are done already")
            continue
        if planned.world_size != launch.world.size:
            launch.reporter.event("needs_other_world", stage=stage.name, world_size=planned.world_size)
            launch.reporter.say(
                f"{stage.name} needs {planned.world_size:,} ranks, and this launch has {launch.world.size:,}. It goes on with:\n"
                f"  {course.command(planned.world_size)}"
            )
            return exit_codes.OTHER_WORLD
        at.append(planned)
        if course.calibrates:
            _calibrate(course, planned, launch)
            continue
        measures = course.measures and launch.world.device.type == "cpu"
        expected = course.expect(planned, "cpu").get("step_bytes") if measures else None
        begin = _begin(course, index, checkpoint)
        stage_run = StageRun(planned, launch, begin, measures=measures, expected=expected)
        checkpoint = None
        stage_run.run()
        stage_run.free()
    launch.reporter.event("finished")
    return exit_codes.FINISHED


def _calibrate(course: Course, planned: PlannedStage, launch: Launch) -> None:
    """Measures a stage's step, and writes what people can send in: nothing in it names them, their machine or their files."""
    stage, world = planned.stage, launch.world
    found = calibrate(stage, world, course.expect(planned, world.device.type))
    facts = {
        "tttdit": version("tttdit"),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": torch.cuda.get_device_name() if world.device.type == "cuda" else "cpu",
        "spec": resolved_text(stage.name, [stage]),
        "components": {name: {**asdict(one), "difference": one.difference} for name, one in found.items()},
    }
    path = course.folder.path / f"calibration-{stage.name}.json"
    if world.leads:
        write_whole(path, json.dumps(facts, indent=2) + "\n")
    launch.reporter.say(f"{stage.name}: two steps were measured, {path}")
    for name, one in found.items():
        beside = "nothing predicted" if one.predicted is None else f"predicted {one.predicted:,}"
        off = "" if one.difference is None else f", {one.difference:+.2%}"
        launch.reporter.say(f"  {name:<15} {one.measured:>18,} bytes, {beside}{off}")


def _begin(course: Course, index: int, checkpoint: Path | None) -> Begin:
    if checkpoint is not None:
        return Begin(done=step_of(checkpoint), resumed=checkpoint)
    return begin_of(course.stages, index, course.folder, course.data_folder, resumes=course.resumes)


def _stopper(course: Course, launch: Launch) -> Callable[[str], None]:
    def stop(signal: str) -> None:
        reporter, began = launch.reporter, time.perf_counter()
        reporter.say(f"{signal}: saving the last finished step")
        step, stage = None, None
        try:
            if launch.saver is not None:
                stage, (step, saved) = launch.stage, launch.saver()
                reporter.say(
                    f"{stage} step {step:,}: saved in {time.perf_counter() - began:.1f} s"
                    if saved
                    else f"{stage}: no step was finished, so nothing is saved"
                )
        except Exception as error:
            reporter.say(f"not saved: {failure_of(error)}; the last checkpoint is as it was")
        reporter.event("interrupted", signal=signal, stage=stage, step=step)
        reporter.end()
        reporter.say(f"stopped; this goes on with it:\n  {course.command(launch.world.size)}")
        sys.stdout.flush()

    return stop


def _tell(
    failure: RunError, error: BaseException, course: Course, reporter: Reporter, planned: PlannedStage | None
) -> None:
    """Says why it is over; the whole traceback goes into the log only."""
    reporter.end()
    if not reporter.leads:
        if failure.kind == "lost_rank" and str(failure).startswith("rank 0 "):  # which would have said it
            print(f"tttdit: {failure}", file=sys.stderr, flush=True)
        return
    stage = planned.stage.name if planned is not None else None
    region = failure.region
    reporter.event("failed", kind=failure.kind, message=str(failure), stage=stage, region=region)
    reporter.note("".join(traceback.format_exception(error)))
    reporter.say(f"stopped: {failure}")
    if failure.kind == "out_of_gpu_memory" and planned is not None:
        _, capacity = torch.cuda.mem_get_info()
        for line in course.remedy(planned, capacity):
            reporter.say(line)
    reporter.say(f"tttdit why {course.folder.path} says what to do")
