"""`tttdit launch`: lines for torchrun, jobs for Slurm; jobs really run, by submitit's local executor, and Slurm is made up."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from small_specs import TWO_LAYERS
from tiny_runs import TWO_STAGES, events, write_spec

from tttdit import load_spec
from tttdit.checker import cli
from tttdit.checker.launch import jobs
from tttdit.checker.launch.groups import Group, Shape
from tttdit.checker.launch.jobs import Wanted
from tttdit.checker.launch.rank_task import RankTask
from tttdit.core.errors import UsageError
from tttdit.core.running.checkpoints import FACTS, LATEST, name_of

ROOT = Path(__file__).parents[3]
CURRICULUM = ROOT / "examples" / "curriculum.toml"

Launch = Callable[..., tuple[int, str, str]]


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Launch:
    monkeypatch.chdir(tmp_path)

    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["launch", *map(str, arguments)])
        return code, *capsys.readouterr()

    return called


def test_a_line_for_each_number_of_ranks(launch: Launch) -> None:
    code, out, _ = launch("torchrun", str(CURRICULUM), "--output", "runs/it is")
    start = "--rdzv-backend c10d --rdzv-endpoint $MASTER_ADDR:29500 --nproc-per-node 8 --max-restarts 3 --no-python tttdit run"
    rest = f"{start} {CURRICULUM} --output 'runs/it is'"
    assert code == 0
    assert out.splitlines() == [
        "# 3s, 9s, 18s: 8 nodes with 8 ranks each",
        f"torchrun --nnodes 8 {rest}",
        "# 30s: 16 nodes with 8 ranks each",
        f"torchrun --nnodes 16 {rest}",
        "# 63s: 32 nodes with 8 ranks each",
        f"torchrun --nnodes 32 {rest}",
    ]


def test_alone_it_says_how_it_is_used(launch: Launch) -> None:
    code, out, err = launch()
    assert (code, out) == (2, "")
    assert err.startswith("Usage: tttdit launch ")


def test_fewer_gpus_of_a_node(launch: Launch) -> None:
    _, out, _ = launch("torchrun", str(CURRICULUM), "--gpus-per-node", "4")
    assert out.startswith("# 3s, 9s, 18s: 16 nodes with 4 ranks each\ntorchrun --nnodes 16 ")
    code, _, err = launch("torchrun", str(CURRICULUM), "--gpus-per-node", "7")
    assert code == 2
    assert err == (
        "tttdit: 3s, 9s, 18s: 64 ranks cannot be spread evenly over nodes with 7 GPUs: change [parallelism], or say how many GPUs of a "
        "node are to be used with --gpus-per-node\n"
    )


def test_one_node_takes_a_port_that_is_free(launch: Launch, tmp_path: Path) -> None:
    write_spec(tmp_path, "\n")
    _, out, _ = launch("torchrun", "tiny.toml", "--set", "parallelism.dp_sharding=2", "--device", "cpu")
    assert out == (
        "# tiny: 1 node with 2 ranks\n"
        "torchrun --standalone --nproc-per-node 2 --max-restarts 3 --no-python tttdit run tiny.toml --device cpu "
        "--set parallelism.dp_sharding=2\n"
    )


def test_a_spec_with_errors_is_not_launched(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(TWO_LAYERS.replace("fps = 16", "fps = 17"), "utf-8")
    for way in (["torchrun"], ["slurm", "--time", "60"]):
        code, out, _ = launch(way[0], "spec.toml", *way[1:])
        assert code == 1
        assert "error" in out
        assert "torchrun" not in out


def test_a_dry_run_says_the_jobs(launch: Launch) -> None:
    code, out, _ = launch(
        "slurm",
        str(CURRICULUM),
        "--time",
        "1-12:00:00",
        "--partition",
        "gpu",
        "--sbatch",
        "constraint=h100",
        "--dry-run",
    )
    given = "2,160 minutes, partition gpu, constraint h100"
    assert code == 0
    assert out.splitlines() == [
        f"job 1: 3s, 9s, 18s on 8 nodes with 8 ranks each, {given}",
        f"job 2, when job 1 is done: 30s on 16 nodes with 8 ranks each, {given}",
        f"job 3, when job 2 is done: 63s on 32 nodes with 8 ranks each, {given}",
        f"each rank: tttdit run {CURRICULUM} --output runs/one-minute",
    ]


def test_stages_that_are_done_get_no_job(launch: Launch, tmp_path: Path) -> None:
    for stage in ("3s", "9s", "18s"):
        folder = tmp_path / "runs" / "one-minute" / "checkpoints" / stage
        checkpoint = folder / name_of(5000)
        checkpoint.mkdir(parents=True)
        (checkpoint / FACTS).write_text(f'{{"stage": "{stage}", "step": 5000}}')
        (folder / LATEST).symlink_to(checkpoint.name)
    _, out, _ = launch("slurm", str(CURRICULUM), "--time", "60", "--dry-run")
    assert out.startswith("job 1: 30s on 16 nodes")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--time", "soon"), '"soon" is no time such as 90 (minutes), 24:00:00 or 2-00:00:00'),
        (("--time", "0"), '"0" is no time at all'),
        (("--time", "60", "--sbatch", "h100"), '"h100" is no option of sbatch such as constraint=h100'),
        ((), "Missing option '--time'"),
    ],
)
def test_what_sbatch_would_not_take(launch: Launch, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = launch("slurm", str(CURRICULUM), *arguments)
    assert code == 2
    assert said in err


def test_without_submitit(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    code, _, err = launch("slurm", str(CURRICULUM), "--time", "60")
    assert (code, err) == (2, "tttdit: jobs are submitted with submitit: pip install 'tttdit[slurm]'\n")


def test_without_slurm(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    code, _, err = launch("slurm", str(CURRICULUM), "--time", "60")
    assert (code, err) == (
        2,
        "tttdit: there is no srun here: submit from a machine of the cluster, or look with --dry-run\n",
    )


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Slurm that takes any job, and keeps what it was given; its folder."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    number = 'n=$(ls "$SLURM_TEST"/*.batch 2>/dev/null | wc -l)'
    scripts = {
        "srun": "",
        "sbatch": f'{number}; cp "$1" "$SLURM_TEST/$n.batch"; echo "Submitted batch job $((100 + n))"',
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/bash\n{script}\n")
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("SLURM_TEST", str(folder))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def test_jobs_wait_for_each_other(launch: Launch, slurm: Path) -> None:
    code, out, err = launch(
        "slurm",
        str(CURRICULUM),
        "--time",
        "90",
        "--account",
        "video",
        "--cpus-per-task",
        "8",
        "--sbatch",
        "constraint=h100",
    )
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "job 100: 3s, 9s, 18s on 8 nodes with 8 ranks each",
        "job 101: 30s on 16 nodes with 8 ranks each",
        "job 102: 63s on 32 nodes with 8 ranks each",
        "their output is in runs/one-minute/jobs; tttdit why runs/one-minute says how it stands",
    ]
    first, _, third = ((slurm / f"{number}.batch").read_text().splitlines() for number in range(3))
    shared = {
        "account=video",
        "constraint=h100",
        "cpus-per-task=8",
        "gpus-per-node=8",
        "job-name=one-minute",
        "ntasks-per-node=8",
        "requeue",
        "signal=USR2@120",
        "time=90",
    }
    options = {line.removeprefix("#SBATCH --") for line in first if line.startswith("#SBATCH")}
    assert options >= shared | {"nodes=8"}
    assert not any(option.startswith("dependency") for option in options)
    options = {line.removeprefix("#SBATCH --") for line in third if line.startswith("#SBATCH")}
    assert options >= shared | {"nodes=32", "dependency=afterok:101", "kill-on-invalid-dep=yes"}
    assert any(re.match(r"srun .*submitit\.core\._submit", line) for line in third)


def test_a_slurm_that_refuses(launch: Launch, slurm: Path) -> None:
    (slurm / "sbatch").write_text('#!/bin/bash\necho "sbatch: error: invalid partition" >&2; exit 1\n')
    code, _, err = launch("slurm", str(CURRICULUM), "--time", "90")
    assert code == 2
    assert err.splitlines()[-1] == "tttdit: Slurm takes no job: sbatch: error: invalid partition"


def run_here(tmp_path: Path, script: str, ranks: int = 1, steps: int = 1) -> None:
    """A job whose ranks run this script instead of training, in `tmp_path`."""
    write_spec(tmp_path, "\n")
    stages = tuple(load_spec(tmp_path / "tiny.toml").stages)
    task = RankTask((sys.executable, "-c", script, str(tmp_path)), tmp_path / "checkpoints", steps)
    wanted = Wanted(name="test", minutes=2, gpus=False, options={})
    for _ in jobs.run_here([(Group(stages, Shape(1, ranks)), task)], wanted, tmp_path / "jobs"):
        pass


RANK = """
import os, sys
names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT")
with open(f"{sys.argv[1]}/rank-{os.environ['RANK']}", "w") as file:
    file.write(" ".join(os.environ[name] for name in names))
"""


def test_each_task_is_a_rank(tmp_path: Path) -> None:
    run_here(tmp_path, RANK, ranks=2)
    first, second = ((tmp_path / f"rank-{rank}").read_text().split() for rank in range(2))
    assert (first[:3], second[:3]) == (["0", "2", "0"], ["1", "2", "1"])
    assert first[3] == second[3]


@pytest.mark.parametrize("code", [1, 70, 75, 76])
def test_a_job_that_has_not_done_its_part_fails(tmp_path: Path, code: int) -> None:
    """75 too, where nobody asked: somebody has cancelled it. And 76, where the stages before are not done."""
    with pytest.raises(UsageError, match="tiny: the job has failed, its output is "):
        run_here(tmp_path, f"raise SystemExit({code})")


def test_stages_that_are_done_are_enough_though_the_next_needs_other_ranks(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoints" / name_of(6)
    checkpoint.mkdir(parents=True)
    (checkpoint / FACTS).write_text('{"stage": "tiny", "step": 6}')
    (tmp_path / "checkpoints" / LATEST).symlink_to(checkpoint.name)
    run_here(tmp_path, "raise SystemExit(76)", steps=6)


# The first time, each rank has Slurm's signal sent to its own task, is asked to save, and says so; the second time it is done.
ASKED = """
import os, signal, sys, time
mine = f"{sys.argv[1]}/asked-{os.environ['RANK']}"
if os.path.exists(mine):
    open(f"{mine}-again", "w").close()
    sys.exit(0)

def save(*_):
    open(mine, "w").close()
    sys.exit(75)

signal.signal(signal.SIGTERM, save)
os.kill(os.getpid(), signal.SIGUSR2)  # Slurm sends it to all processes of a task
os.kill(os.getppid(), signal.SIGUSR2)
time.sleep(60)
sys.exit(3)
"""


def test_a_job_whose_time_is_over_saves_on_all_ranks_and_is_queued_again(tmp_path: Path) -> None:
    run_here(tmp_path, ASKED, ranks=2)
    assert sorted(path.name for path in tmp_path.glob("asked-*")) == [
        "asked-0",
        "asked-0-again",
        "asked-1",
        "asked-1-again",
    ]


def test_a_curriculum_on_this_machine(launch: Launch, tmp_path: Path) -> None:
    """Stages on one rank and on two, each in a job of its own, as Slurm would start them."""
    write_spec(tmp_path, f"{TWO_STAGES}parallelism.dp_sharding = 2\n".replace('"qkvo"', '"sft"'))
    sets = ("--set", "training.steps=2", "--set", "training.warmup_steps=1")
    code, out, err = launch("slurm", "tiny.toml", "--time", "5", "--device", "cpu", "--executor", "local", *sets)
    assert (code, err) == (0, ""), out
    run = tmp_path / "runs" / "tiny"
    assert [line.partition(": ")[2] for line in out.splitlines()[:2]] == [
        "first on 1 node with 1 rank",
        "second on 1 node with 2 ranks",
    ]
    assert [event for event in events(run) if event in ("launched", "needs_other_world", "finished")] == [
        "launched",
        "needs_other_world",
        "launched",
        "finished",
    ]
    code, out, _ = launch("slurm", "tiny.toml", "--time", "5", *sets)
    assert (code, out) == (0, "every stage is done: runs/tiny\n")
