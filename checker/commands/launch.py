"""`tttdit launch`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from tttdit.checker.commands import options
from tttdit.checker.output import write
from tttdit.core.errors import UsageError

if TYPE_CHECKING:
    from tttdit.checker.launch.groups import Group
    from tttdit.checker.spec import Spec
    from tttdit.core.running.folder import RunFolder

EPILOG = """\b
Examples:
  tttdit launch torchrun curriculum.toml
  tttdit launch slurm curriculum.toml --time 24:00:00 --partition gpu --dry-run
"""

TORCHRUN_EPILOG = """\b
Examples:
  tttdit launch torchrun curriculum.toml
  tttdit launch torchrun nine-seconds.toml --gpus-per-node 4 --output runs/nine

\b
Exit codes: 0 printed, 1 the spec has errors, 2 the command was wrong or the
file could not be read.
"""

SLURM_EPILOG = """\b
Examples:
  tttdit launch slurm curriculum.toml --time 24:00:00 --partition gpu
  tttdit launch slurm curriculum.toml --time 2-00:00:00 --account video --dry-run
  tttdit launch slurm curriculum.toml --time 60 --sbatch constraint=h100
  tttdit launch slurm examples/tiny.toml --time 10 --device cpu --executor local

\b
Exit codes: 0 submitted, 1 the spec has errors, 2 the command was wrong, a
file could not be read, or Slurm takes no job.
"""

RESTARTS = 3  # of all ranks, when one of them is lost, before torchrun gives up

# What Slurm's --time takes: minutes, hours:minutes:seconds, days-hours:minutes:seconds.
_TIME = re.compile(
    r"(?P<minutes>\d{1,6})|(?:(?P<days>\d{1,3})-)?(?P<hours>\d{1,3}):(?P<rest>\d{1,2}):(?P<seconds>\d{1,2})"
)


def _minutes(_ctx: click.Context, _parameter: click.Parameter, value: str) -> int:
    found = _TIME.fullmatch(value.strip())
    if found is None:
        raise click.BadParameter(f'"{value}" is no time such as 90 (minutes), 24:00:00 or 2-00:00:00')
    parts = {name: int(text) for name, text in found.groupdict(default="0").items()}
    seconds = ((parts["days"] * 24 + parts["hours"]) * 60 + parts["rest"]) * 60 + parts["seconds"]
    minutes = parts["minutes"] + -(-seconds // 60)
    if minutes < 1:
        raise click.BadParameter(f'"{value}" is no time at all')
    return minutes


def _assignments(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, content = value.partition("=")
        if not equals or not re.fullmatch(r"[a-z][a-z-]*", name):
            raise click.BadParameter(f'"{value}" is no option of sbatch such as constraint=h100')
        found[name] = content
    return found


def _launching(command: Callable[..., Any]) -> Callable[..., Any]:
    """What both ways to launch take."""
    path = click.argument("path", metavar="SPEC", type=click.Path())
    output = click.option(
        "--output", metavar="FOLDER", type=click.Path(), help="The run's folder. By default runs/NAME OF THE SPEC."
    )
    device = click.option(
        "--device", type=click.Choice(["cpu", "cuda"]), help="By default cuda where torch finds a GPU."
    )
    gpus = click.option(
        "--gpus-per-node",
        metavar="N",
        type=click.IntRange(1, 1_000_000),
        help="Ranks on a node. By default hardware.gpus_per_node of the spec, or all of them on one node.",
    )
    return path(output(device(gpus(options.sets(options.allow_plugin(command))))))


@click.group(epilog=EPILOG, short_help="Start a curriculum on many ranks.", invoke_without_command=True)
@click.pass_context
def launch(ctx: click.Context) -> None:
    """Start a curriculum on many ranks: by the lines that torchrun takes, or as jobs of Slurm."""
    if ctx.invoked_subcommand is None:
        write(ctx.get_help().splitlines(), sys.stderr)
        ctx.exit(2)


@launch.command(epilog=TORCHRUN_EPILOG, short_help="Print the lines that start it by torchrun.")
@_launching
def torchrun(
    path: str,
    output: str | None,
    device: str | None,
    gpus_per_node: int | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
) -> int:
    """Print the torchrun lines of a spec, one for each number of ranks that its stages need, in their order. Nothing is run.

    A line for several nodes is given on each of them, with MASTER_ADDR set to one of them. Each line goes on where the one before ended.
    """
    from tttdit.checker.launch.torchrun import torchrun_line

    planned = _planned(path, sets, allowed, gpus_per_node)
    if planned is None:
        return 1
    _, groups = planned
    words = ["tttdit", *_run_arguments(path, output, device, sets, allowed)]
    for group in groups:
        write([f"# {group.names}: {group.shape}", torchrun_line(words, group.shape, restarts=RESTARTS)])
    return 0


@launch.command(epilog=SLURM_EPILOG, short_help="Submit it to Slurm, as a chain of jobs.")
@_launching
@click.option(
    "--time", "minutes", metavar="TIME", required=True, callback=_minutes, help="Of each job, as sbatch takes it."
)
@click.option("--partition", metavar="NAME", help="As sbatch takes it.")
@click.option("--account", metavar="NAME", help="As sbatch takes it.")
@click.option("--qos", metavar="NAME", help="As sbatch takes it.")
@click.option(
    "--cpus-per-task",
    metavar="N",
    type=click.IntRange(1, 100_000),
    help="CPU cores for each rank and its data workers.",
)
@click.option(
    "--sbatch",
    "others",
    metavar="OPTION=VALUE",
    multiple=True,
    callback=_assignments,
    help="Any other long option. May be repeated.",
)
@click.option(
    "--executor",
    type=click.Choice(["slurm", "local"]),
    default="slurm",
    show_default=True,
    help="local runs the jobs on this machine, one after the other.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be submitted, and stop.")
def slurm(
    path: str,
    output: str | None,
    device: str | None,
    gpus_per_node: int | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
    minutes: int,
    partition: str | None,
    account: str | None,
    qos: str | None,
    cpus_per_task: int | None,
    others: dict[str, str],
    executor: str,
    dry_run: bool,
) -> int:
    """Submit a spec to Slurm: a job for each number of ranks that its stages need, each starting when the one before is done.

    A job whose time is nearly over saves, and is queued again until its stages are done. Stages that are done already get no job.
    """
    from tttdit.checker.launch.jobs import Wanted, run_here, submit, task_of

    planned = _planned(path, sets, allowed, gpus_per_node)
    if planned is None:
        return 1
    spec, groups = planned
    folder = _folder(spec, output)
    left = [group for group in groups if not _is_done(group, folder)]
    if not left:
        write([f"every stage is done: {folder.path}"])
        return 0
    said = {"partition": partition, "account": account, "qos": qos}
    wanted = Wanted(
        name=spec.name,
        minutes=minutes,
        gpus=device != "cpu",
        cpus_per_task=cpus_per_task,
        options={name: value for name, value in said.items() if value is not None} | others,
    )
    arguments = _run_arguments(path, str(folder.path), device, sets, allowed)
    if dry_run:
        write(_described(left, wanted.options, ["tttdit", *arguments], minutes))
        return 0
    tasks = [(group, task_of(group, arguments, folder)) for group in left]
    logs = folder.path / "jobs"
    for group, number in (submit if executor == "slurm" else run_here)(tasks, wanted, logs):
        write([f"job {number}{' is done' if executor == 'local' else ''}: {group.names} on {group.shape}"])
    write([f"their output is in {logs}; tttdit why {folder.path} says how it stands"])
    return 0


def _planned(
    path: str, sets: tuple[str, ...], allowed: tuple[str, ...], gpus_per_node: int | None
) -> tuple[Spec, list[Group]] | None:
    """The spec and its groups; None, after its findings have been shown, for a spec that `tttdit run` would refuse."""
    from tttdit.checker.api import check_paths, load_spec
    from tttdit.checker.launch.groups import groups_of
    from tttdit.checker.showing import show_report

    report = check_paths((path,), shows_memory=True, sets=sets, allowed=allowed, stage=None)
    if report.unreadable or report.exit_code:
        show_report(report, "full", sys.stdout, statistics=False)
        if report.unreadable:
            raise UsageError("nothing is launched")
        return None
    spec = load_spec(path, sets=sets, allow_plugins=allowed)
    return spec, groups_of(spec.stages, gpus_per_node)


def _folder(spec: Spec, output: str | None) -> RunFolder:
    from tttdit.checker.launching import run_folder

    return run_folder(spec, output)


def _is_done(group: Group, folder: RunFolder) -> bool:
    from tttdit.core.running.position import is_done

    return all(is_done(each, folder) for each in group.stages)


def _run_arguments(
    path: str, output: str | None, device: str | None, sets: tuple[str, ...], allowed: tuple[str, ...]
) -> list[str]:
    words = ["run", path]
    for option, value in (("--output", output), ("--device", device)):
        words += [option, value] if value is not None else []
    for option, values in (("--set", sets), ("--allow-plugin", allowed)):
        for value in values:
            words += [option, value]
    return words


def _described(
    groups: Sequence[Group], wanted: Mapping[str, str], command: Sequence[str], minutes: int
) -> Iterator[str]:
    import shlex

    given = "".join(f", {name} {value}".rstrip() for name, value in wanted.items())
    for number, group in enumerate(groups, 1):
        after = f", when job {number - 1} is done" if number > 1 else ""
        yield f"job {number}{after}: {group.names} on {group.shape}, {minutes:,} minutes{given}"
    yield f"each rank: {shlex.join(command)}"
