"""`tttdit run`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from tttdit.checker.commands import options
from tttdit.checker.output import write
from tttdit.core.errors import UsageError

if TYPE_CHECKING:
    from tttdit.checker.report import Report

EPILOG = """\b
Examples:
  tttdit run tiny.toml
  tttdit run tiny.toml --dry-run
  tttdit run curriculum.toml --stage 9s --set training.steps=10 --output runs/trial
  torchrun --nproc-per-node 8 --no-python tttdit run nine-seconds.toml
  tttdit why runs/tiny

\b
Exit codes: 0 every stage is done, 1 the check found errors (nothing ran), 2 the
command was wrong or a file could not be read or written, 70 training could not
go on, 75 stopped by Ctrl-C or SIGTERM (the same command goes on), 76 the next
stage needs another number of ranks.
"""


@click.command(epilog=EPILOG, short_help="Train what was checked.")
@click.argument("path", metavar="SPEC", type=click.Path())
@options.choosing
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="By default cuda where torch finds a GPU.")
@click.option(
    "--resume",
    metavar="auto|never|PATH",
    default="auto",
    show_default=True,
    help="Go on from the run's last checkpoint, begin anew, or go on from a checkpoint.",
)
@click.option(
    "--output", metavar="FOLDER", type=click.Path(), help="The run's folder. By default runs/NAME OF THE SPEC."
)
@click.option(
    "--grace",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="How long saving may take after Ctrl-C or SIGTERM.",
)
@click.option(
    "--measure-memory",
    is_flag=True,
    help="On the CPU, too, measure what each step takes, operator by operator; it is slower by that. (CUDA counts for itself.)",
)
@click.option(
    "--calibrate",
    is_flag=True,
    help="Measure two steps of each stage beside their prediction, write calibration-STAGE.json, and stop.",
)
@click.option("--dry-run", is_flag=True, help="Check, say what would run, and stop.")
def run(
    path: str,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
    device: str | None,
    resume: str,
    output: str | None,
    grace: float,
    measure_memory: bool,
    calibrate: bool,
    dry_run: bool,
) -> int:
    """Train a spec, stage after stage, on this machine's CPU or GPU, or on the ranks of a launch.

    SPEC is checked first, exactly as by tttdit-check, and refused if it has errors. A run that was stopped goes on where it was when the
    same command is given again. The folder of the run holds the spec as resolved, the report, the log, metrics and checkpoints.
    """
    from tttdit.checker.api import check_paths, load_spec

    report = check_paths((path,), shows_memory=True, sets=sets, allowed=allowed, stage=stage)
    leads = os.environ.get("RANK", "0") == "0"
    if report.unreadable or report.exit_code:
        if leads:
            _show(report)
        return report.exit_code or 2
    spec = load_spec(path, sets=sets, allow_plugins=allowed)
    if leads and report.findings:
        _show(report)
    from tttdit.checker.launching import Asked, course_of, describe

    again = _again(path, stage, sets, allowed, device, output)
    asked = Asked(spec, report.files[0], stage, output, resume, grace, measure_memory, calibrate, again)
    course = course_of(asked)
    if dry_run:
        if leads:
            write(describe(course))
        return 0
    try:
        from tttdit.core.runtime.training.world import allow_growing_segments, world_of
    except ModuleNotFoundError as error:
        raise UsageError(f"training needs {error.name}: pip install 'tttdit[run]'") from None
    allow_growing_segments()
    world = world_of(os.environ, device)
    from tttdit.checker.launching import prepare
    from tttdit.core.runtime.training.curriculum import train
    from tttdit.core.runtime.training.pulse import end_process

    with prepare(asked, course, leads=world.leads):
        code = train(course, world)
    end_process(code)
    return code


def _show(report: Report) -> None:
    from tttdit.checker.showing import show_report

    show_report(report, "full", sys.stdout, statistics=False)


def _again(
    path: str,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
    device: str | None,
    output: str | None,
) -> tuple[str, ...]:
    """The command that goes on with this run."""
    words = ["tttdit", "run", path]
    for option, value in (("--stage", stage), ("--device", device), ("--output", output)):
        words += [option, value] if value is not None else []
    for option, values in (("--set", sets), ("--allow-plugin", allowed)):
        for value in values:
            words += [option, value]
    return tuple(words)
