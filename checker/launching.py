"""From a checked spec and a command line to what one launch trains: which stages, where, and how it is started again."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tttdit.checker.launch.groups import shape_of
from tttdit.checker.launch.torchrun import torchrun_line
from tttdit.checker.report import FileReport, Report
from tttdit.checker.spec import Spec
from tttdit.core.errors import Unpredicted, UsageError
from tttdit.core.running.checkpoints import newest, stage_of
from tttdit.core.running.course import Course, PlannedStage
from tttdit.core.running.files import write_whole
from tttdit.core.running.folder import RunFolder
from tttdit.core.running.position import begin_of, is_done
from tttdit.core.running.resolved import resolved_text

RUNS = "runs"


@frozen
class Asked:
    """What the command line said."""

    spec: Spec
    report: FileReport
    stage: str | None
    output: str | None
    resume: str
    grace: float
    measures: bool
    calibrates: bool
    again: tuple[str, ...]  # the command that goes on with this run


def course_of(asked: Asked) -> Course:
    """What is to be trained. Raises UsageError for a stage without samples, and for a `--resume` that cannot be done."""
    spec = asked.spec
    predicted = {each.name: each.memory for each in asked.report.stages}
    planned = tuple(
        PlannedStage(stage, memory.as_dict() if (memory := predicted.get(stage.name)) is not None else None)
        for stage in spec.stages
    )
    folder = run_folder(spec, asked.output)
    chosen = tuple(index for index, each in enumerate(spec.stages) if asked.stage in (None, each.name))
    for index in chosen:
        if spec.stages[index].data is None:
            raise UsageError(f'stage "{spec.stages[index].name}" has no [data]: say where its samples come from')
    checkpoint = None
    if asked.resume not in ("auto", "never"):
        checkpoint = Path(asked.resume)
        chosen = _from_on(spec, chosen, checkpoint)
    if asked.resume == "never":
        for stage in spec.stages:
            if newest(folder.checkpoints(stage.name)) is not None:
                raise UsageError(
                    f"{folder.path} has checkpoints, which --resume never would write over: give another --output, or remove it"
                )
    return Course(
        planned=planned,
        chosen=chosen,
        folder=folder,
        data_folder=Path(spec.path).parent,
        resumes=asked.resume == "auto",
        checkpoint=checkpoint,
        grace=asked.grace,
        command=lambda ranks: start_line(asked.again, spec, ranks),
        measures=asked.measures,
        calibrates=asked.calibrates,
        expect=_expected,
        remedy=_remedy,
    )


def run_folder(spec: Spec, output: str | None) -> RunFolder:
    """The folder of a spec's run, where the command line names none."""
    path = Path(output) if output is not None else Path(RUNS, spec.name)
    # a stage may keep its checkpoints elsewhere; the run's folder has those of all of them by the first one's word
    return RunFolder(path, spec.stages[0].checkpoint.folder)


def describe(course: Course) -> Iterator[str]:
    """What would run, line by line."""
    yield f"would train in {course.folder.path}:"
    reached = False
    for index in course.chosen:
        planned, stage = course.planned[index], course.stages[index]
        ranks = f"{planned.world_size:,} rank{'s' * (planned.world_size != 1)}"
        head = f"  {stage.name}: {stage.training.steps:,} steps on {ranks}"
        if course.resumes and course.checkpoint is None and is_done(stage, course.folder):
            yield f"{head}, all done"
        elif reached:
            yield (
                f"{head}, starts with the weights of {course.stages[index - 1].name}"
                if (stage.inherits_weights)
                else f"{head}, starts with the weights of {stage.checkpoint.init_from}"
            )
        else:
            reached = True
            if course.checkpoint is not None:
                yield f"{head}, goes on from {course.checkpoint}"
            else:
                begin = begin_of(course.stages, index, course.folder, course.data_folder, resumes=course.resumes)
                yield f"{head}, {begin}"
            yield f"    {course.command(planned.world_size)}"


@contextmanager
def prepare(asked: Asked, course: Course, *, leads: bool) -> Iterator[None]:
    """Makes the run's folder, with the spec as it was resolved and the report; nobody else may write into it meanwhile.

    Raises UsageError where that cannot be had.
    """
    if not leads:
        yield
        return
    folder = course.folder
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        with open(folder.path / "lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UsageError(
                    f"another run is at work in {folder.path}: wait for it, or give another --output"
                ) from None
            origin = Path(asked.spec.path).resolve()
            text = f"# {origin} as it was resolved; paths are seen from its folder\n"
            write_whole(folder.spec, text + resolved_text(asked.spec.name, asked.spec.stages))
            write_whole(folder.report, "\n".join(_json(asked.report)) + "\n")
            yield
    except OSError as error:
        raise UsageError(f"cannot write {error.filename or folder.path}: {error.strerror or error}") from None


def start_line(command: Sequence[str], spec: Spec, ranks: int) -> str:
    """What starts a command on so many ranks: itself for one, by torchrun for more, on as many nodes as `[hardware]` makes of them."""
    return torchrun_line(command, shape_of(spec.stages, ranks))


def _from_on(spec: Spec, chosen: Sequence[int], checkpoint: Path) -> tuple[int, ...]:
    """The stages from that of a checkpoint on."""
    name = stage_of(checkpoint)
    names = [each.name for each in spec.stages]
    if name not in names:
        raise UsageError(f'{checkpoint} is of a stage "{name}", which {spec.path} has not (it has {", ".join(names)})')
    first = names.index(name)
    if chosen and chosen[0] != first and len(chosen) == 1:
        raise UsageError(f'{checkpoint} is of stage "{name}", and --stage says "{names[chosen[0]]}"')
    return tuple(index for index in chosen if index >= first)


def _expected(planned: PlannedStage, device: str) -> Mapping[str, int]:
    """What a measurement should say; empty where nothing can be predicted."""
    if device == "cpu":
        from tttdit.checker.memory.foretelling import foretold_on_cpu

        try:
            return foretold_on_cpu(planned.stage)
        except Unpredicted:
            return {}
    if planned.predicted is None:
        return {}
    numbers = {name: value for name, value in planned.predicted.items() if isinstance(value, int)}
    return {**planned.predicted["parts"], **numbers}


def _remedy(planned: PlannedStage, capacity: int) -> Iterator[str]:
    """The plan that would have fitted a GPU of so many bytes, for people."""
    from tttdit.checker.memory.surveying import search_space, survey
    from tttdit.checker.memory.weighing import DEVICE, RUNTIME
    from tttdit.checker.planned import Planned
    from tttdit.checker.planning import plan
    from tttdit.checker.render.paint import Paint
    from tttdit.checker.render.plan import render

    stage = planned.stage
    try:
        found = plan(survey(stage, search_space(stage), device=DEVICE, runtime=RUNTIME, budget_bytes=capacity))
    except Unpredicted as why:
        yield f"no plan: {why}"
        return
    if found.is_own:
        yield (
            "the plan for this GPU is what the spec has: something else takes memory on it (nvidia-smi), or the prediction is off "
            "(tttdit run --calibrate)"
        )
        return
    yield "this would have fitted:"
    yield from render([Planned(stage=stage.name, plan=found)], "plan", Paint())


def _json(report: FileReport) -> Iterator[str]:
    from tttdit.checker.render import json
    from tttdit.checker.render.paint import Paint

    yield from json.render(Report((report,)), Paint())
