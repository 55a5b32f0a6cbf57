"""The jobs of a curriculum: one for each group of stages, each starting when the one before has done its part."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import frozen

from tttdit.checker.launch.groups import Group
from tttdit.checker.launch.rank_task import RankTask
from tttdit.core.errors import UsageError
from tttdit.core.running.folder import RunFolder

Executor: TypeAlias = Literal["slurm", "local"]

# Slurm's signal comes so long before a job is ended: time for a step's end, and for saving within --grace.
SIGNAL_SECONDS = 120


@frozen(kw_only=True)
class Wanted:
    """What the jobs are given, besides nodes."""

    name: str
    minutes: int
    gpus: bool  # whether each rank has one
    options: Mapping[str, str]  # of sbatch, by their long names
    cpus_per_task: int | None = None


def task_of(group: Group, arguments: Sequence[str], folder: RunFolder) -> RankTask:
    """What each task of a group's job does; `arguments` are those of `tttdit`."""
    last = group.stages[-1]
    command = (sys.executable, "-m", "tttdit", *arguments)
    return RankTask(command, folder.checkpoints(last.name).absolute(), last.training.steps)


def submit(tasks: Sequence[tuple[Group, RankTask]], wanted: Wanted, logs: Path) -> Iterator[tuple[Group, str]]:
    """Gives Slurm a job for each group, and yields each with its number. Raises UsageError where Slurm refuses."""
    before: str | None = None
    for group, task in tasks:
        executor = _executor("slurm", logs)
        options = dict(wanted.options)
        if before is not None:
            options |= {"dependency": f"afterok:{before}", "kill-on-invalid-dep": "yes"}
        executor.update_parameters(
            name=wanted.name,
            timeout_min=wanted.minutes,
            nodes=group.shape.nodes,
            tasks_per_node=group.shape.per_node,
            slurm_signal_delay_s=SIGNAL_SECONDS,
            slurm_additional_parameters={**options, "requeue": True},
            **_given(gpus_per_node=group.shape.per_node if wanted.gpus else None, cpus_per_task=wanted.cpus_per_task),
        )
        before = _submitted(executor, task).job_id
        yield group, before


def run_here(tasks: Sequence[tuple[Group, RankTask]], wanted: Wanted, logs: Path) -> Iterator[tuple[Group, str]]:
    """Runs the jobs on this machine, one after the other, by submitit's local executor; yields each when it is done.

    Raises UsageError for one that needs several nodes, and where a job fails.
    """
    for group, task in tasks:
        if group.shape.nodes > 1:
            raise UsageError(f"{group.names}: {group.shape} cannot be had on this machine")
        executor = _executor("local", logs)
        executor.update_parameters(
            timeout_min=wanted.minutes,
            nodes=1,
            tasks_per_node=group.shape.per_node,
            **_given(gpus_per_node=group.shape.per_node if wanted.gpus else None),
        )
        job = _submitted(executor, task)
        failure = job.exception()
        if failure is not None:
            raise UsageError(f"{group.names}: the job has failed, its output is {job.paths.stderr} and beside it")
        yield group, job.job_id


def _given(**parameters: int | None) -> dict[str, int]:
    return {name: value for name, value in parameters.items() if value is not None}


def _executor(cluster: Executor, logs: Path) -> Any:
    try:
        import submitit
    except ModuleNotFoundError as error:
        raise UsageError(f"jobs are submitted with {error.name}: pip install 'tttdit[slurm]'") from None
    try:
        return submitit.AutoExecutor(folder=logs, cluster=cluster)
    except RuntimeError:
        raise UsageError(
            "there is no srun here: submit from a machine of the cluster, or look with --dry-run"
        ) from None


def _submitted(executor: Any, task: RankTask) -> Any:
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    try:
        return executor.submit(task)
    except (FailedJobError, FailedSubmissionError) as error:
        raise UsageError(f"Slurm takes no job: {' '.join(str(error).split())}") from None
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from None
