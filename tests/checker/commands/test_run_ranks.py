"""`tttdit run` on several ranks, which are processes on the CPU as torchrun starts them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from launching import finish, finish_ranks, start_ranks, wait_for
from tiny_runs import events, losses, same, tensors, write_spec

from tttdit.core.running.lines import read_lines

CPU = ("--device", "cpu")
TWO = ("--set", "parallelism.dp_sharding=2")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on two shards that nobody has disturbed."""
    folder = tmp_path_factory.mktemp("finished")
    codes, said = finish_ranks(2, ["run", write_spec(folder), *CPU, *TWO], folder)
    assert codes == {0}, said
    return folder / "runs" / "tiny"


def test_one_rank_talks(finished: Path) -> None:
    folder = finished.parents[1]
    assert (folder / "output-1.txt").read_text() == ""
    assert "tiny: all 6 steps are done" in (folder / "output-0.txt").read_text()
    assert len(losses(finished)) == 6
    assert (finished / "memory-1.jsonl").exists()


def test_the_same_again_is_the_same_to_the_bit(finished: Path, tmp_path: Path) -> None:
    codes, said = finish_ranks(2, ["run", write_spec(tmp_path), *CPU, *TWO], tmp_path)
    assert codes == {0}, said
    assert losses(tmp_path / "runs" / "tiny") == losses(finished)
    assert same(tensors(tmp_path / "runs" / "tiny"), tensors(finished))


def test_a_signal_to_all_ranks_and_going_on(finished: Path, tmp_path: Path) -> None:
    command = ["run", write_spec(tmp_path), *CPU, *TWO, "--set", "checkpoint.interval=0"]
    run = tmp_path / "runs" / "tiny"
    ranks = start_ranks(2, command, tmp_path)
    wait_for(lambda: len(losses(run)) >= 2)
    for each in ranks:
        each.send(signal.SIGTERM)
    assert [each.wait() for each in ranks] == [75, 75], ranks[0].output
    assert len(losses(run)) < 6
    codes, said = finish_ranks(2, command, tmp_path)
    assert codes == {0}, said
    assert "goes on behind step" in said
    assert losses(run) == losses(finished)
    assert same(tensors(run), tensors(finished))


@pytest.mark.parametrize("mesh", ["1 1", "2 1", "2 2", "1 4"], ids=lambda mesh: mesh.replace(" ", " x "))
def test_a_checkpoint_loads_on_another_mesh(finished: Path, tmp_path: Path, mesh: str) -> None:
    """Replicas x shards. With nothing to learn from, the weights are those of before."""
    replicas, shards = mesh.split()
    checkpoint = finished / "checkpoints" / "tiny" / "step-00000006"
    sets = (f"parallelism.dp_replicate={replicas}", f"parallelism.dp_sharding={shards}", "training.steps=7")
    still = (
        "optimizer.lr=0",
        "optimizer.lr_mixer=0",
        "optimizer.lr_end=0",
        "optimizer.weight_decay=0",
        "training.warmup_steps=0",
    )
    command = ["run", write_spec(tmp_path), *CPU, "--resume", str(checkpoint)]
    command += [word for each in (*sets, *still) for word in ("--set", each)]
    codes, said = finish_ranks(int(replicas) * int(shards), command, tmp_path)
    assert codes == {0}, said
    before, after = (
        {name: each for name, each in tensors(run).items() if name.startswith("model.")}
        for run in (finished, tmp_path / "runs" / "tiny")
    )
    assert same(before, after)


def test_new_weights_are_the_same_on_every_mesh(finished: Path, tmp_path: Path) -> None:
    still = (
        "optimizer.lr=0",
        "optimizer.lr_mixer=0",
        "optimizer.lr_end=0",
        "training.steps=1",
        "training.warmup_steps=0",
    )
    sets = [word for each in still for word in ("--set", each)]
    for name, mesh in (("one", 1), ("two", 2)):
        command = [
            "run",
            write_spec(tmp_path),
            *CPU,
            *sets,
            "--output",
            name,
            "--set",
            f"parallelism.dp_sharding={mesh}",
        ]
        codes, said = finish_ranks(mesh, command, tmp_path)
        assert codes == {0}, said
    one, two = (
        {name: each for name, each in tensors(tmp_path / run).items() if name.startswith("model.")}
        for run in ("one", "two")
    )
    assert same(one, two)


@pytest.mark.parametrize("mesh", ["dp_sharding", "tp_sharding"])
def test_calibrating_measures_what_was_predicted_of_a_rank(tmp_path: Path, mesh: str) -> None:
    command = ["run", write_spec(tmp_path), *CPU, "--calibrate", "--set", f"parallelism.{mesh}=2"]
    codes, said = finish_ranks(2, command, tmp_path)
    assert codes == {0}, said
    found = json.loads((tmp_path / "runs" / "tiny" / "calibration-tiny.json").read_text())
    assert {"parameters", "gradients", "optimizer"} < found["components"].keys()
    assert all(each["measured"] == each["predicted"] > 0 for each in found["components"].values())


def test_a_rank_that_dies_is_named(tmp_path: Path) -> None:
    command = [
        "run",
        write_spec(tmp_path),
        *CPU,
        *TWO,
        "--set",
        "training.steps=1000",
        "--set",
        "checkpoint.interval=0",
    ]
    ranks = start_ranks(2, command, tmp_path)
    wait_for(lambda: len(losses(tmp_path / "runs" / "tiny")) >= 2)
    ranks[1].send(signal.SIGKILL)
    assert ranks[0].wait() == 70, ranks[0].output
    last = read_lines(tmp_path / "runs" / "tiny" / "events.jsonl")[-1]
    assert (last["event"], last["kind"]) == ("failed", "lost_rank")
    assert last["message"].startswith("rank 1 did not answer in ")


def test_a_rank_that_hangs_is_named(tmp_path: Path) -> None:
    sets = ("training.steps=1000", "checkpoint.interval=0", "parallelism.timeout_seconds=4")
    command = ["run", write_spec(tmp_path), *CPU, *TWO, *(word for each in sets for word in ("--set", each))]
    ranks = start_ranks(2, command, tmp_path)
    wait_for(lambda: len(losses(tmp_path / "runs" / "tiny")) >= 2)
    ranks[1].send(signal.SIGSTOP)
    try:
        assert ranks[0].wait() == 70, ranks[0].output
    finally:
        ranks[1].send(signal.SIGKILL)
    message = read_lines(tmp_path / "runs" / "tiny" / "events.jsonl")[-1]["message"]
    assert message.startswith("rank 1 did not answer in ")
    assert "(parallelism.timeout_seconds = 4)" in message


def test_torchrun(tmp_path: Path) -> None:
    write_spec(tmp_path, "\n")
    code, said = finish(["run", "tiny.toml", *TWO, "--dry-run", *CPU], tmp_path)
    assert code == 0
    line = next(line for line in said.splitlines() if "torchrun" in line).split()
    assert line[:5] == ["torchrun", "--standalone", "--nproc-per-node", "2", "--no-python"]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("torchrun")),
            *line[1:5],
            str(Path(sys.executable).with_name("tttdit")),
            *line[6:],
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert events(tmp_path / "runs" / "tiny")[-1] == "finished"
