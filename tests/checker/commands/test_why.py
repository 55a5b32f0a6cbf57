"""`tttdit why`: what ended a run, by its folder; and whatever bytes that folder has."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tttdit.checker import cli
from tttdit.core.running.checkpoints import FACTS, LATEST, name_of
from tttdit.core.running.folder import RunFolder
from tttdit.core.running.lines import append

GIB = 2**30
THEN = 1_700_000_000.0  # long ago
PREDICTED = {
    "reserved_bytes": 70 * GIB,
    "host_bytes": 20 * GIB,
    "host_parts": {"processes": 4 * GIB, "checkpoint": 12 * GIB},
}

SPEC = """\
name = "nine"

[[stage]]
name = "3s"

[stage.checkpoint]
folder = "kept"
asynchronous = true

[stage.parallelism]
timeout_seconds = 1200

[stage.data]
workers = 4
"""


class Run:
    """The folder of a run that somebody makes up, event by event; each takes a second."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.folder = RunFolder(path, "kept")
        self.folder.spec.write_text(SPEC, encoding="utf-8")
        self.now = THEN
        self.event(
            "launched",
            world_size=1,
            host="far-away",
            pid=1,
            command="tttdit run nine.toml --output runs/nine",
            resumed=False,
        )

    def event(self, name: str, **facts: Any) -> Run:
        self.now += 1
        append(self.folder.events, {"time": self.now, "event": name, **facts})
        return self

    def started(self) -> Run:
        return self.event("stage_started", stage="3s", step=0, steps=150, predicted=PREDICTED)

    def step(self, number: int, **facts: Any) -> Run:
        self.now += 1
        append(self.folder.metrics, {"time": self.now, "stage": "3s", "step": number, "loss": 0.25, **facts})
        return self

    def memory(self, used: float, rank: int = 0, at: float | None = None, **facts: Any) -> Run:
        """A line about memory, GiB of 32."""
        self.now += at is None
        line = {
            "stage": "3s",
            "step": 77,
            "doing": "step",
            "rss_bytes": 6 * GIB,
            "workers_bytes": GIB,
            "limited_by": "cgroup",
        }
        known = {
            "time": self.now if at is None else at,
            "node_used_bytes": int(used * GIB),
            "node_limit_bytes": 32 * GIB,
        }
        append(self.folder.memory_of(rank), {**line, **known, **facts})
        return self

    def checkpoint(self, step: int, *, whole: bool = True) -> Run:
        stage = self.folder.checkpoints("3s")
        path = stage / (name_of(step) if whole else f"{name_of(step)}.partial")
        path.mkdir(parents=True)
        if whole:
            (path / FACTS).write_text(json.dumps({"stage": "3s", "step": step}), encoding="utf-8")
            (stage / LATEST).unlink(missing_ok=True)
            (stage / LATEST).symlink_to(path.name)
        return self


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return Run(tmp_path / "nine")


Why = Callable[..., tuple[int, str]]


@pytest.fixture
def why(capsys: pytest.CaptureFixture[str]) -> Why:
    """The exit code, and what is said of the folder `nine`."""

    def called(*arguments: str) -> tuple[int, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["why", "nine", *arguments])
        out, err = capsys.readouterr()
        return code, out + err

    return called


@pytest.fixture
def answer(why: Why) -> Callable[[], Mapping[str, Any]]:
    def called() -> Mapping[str, Any]:
        _, out = why("--output-format", "json")
        found = json.loads(out)
        assert isinstance(found, dict)
        return found

    return called


def test_a_finished_run(run: Run, why: Why) -> None:
    run.started().step(150).checkpoint(150).event("stage_finished", stage="3s", step=150, loss=0.25).event("finished")
    assert why() == (
        0,
        "nine: finished\n"
        "  all that was asked for is done: 3s\n"
        "  seen: the last loss was 0.2500\n"
        "  last checkpoint: nine/kept/3s/step-00000150\n",
    )


def test_an_interrupted_run_says_the_command_that_goes_on(run: Run, why: Why) -> None:
    run.started().step(77).checkpoint(77).event("interrupted", signal="SIGTERM", stage="3s", step=77)
    assert why() == (
        1,
        "nine: interrupted\n"
        "  stopped by SIGTERM behind step 77 of 3s\n"
        "  last checkpoint: nine/kept/3s/step-00000077\n"
        "  goes on with: tttdit run nine.toml --output runs/nine\n",
    )


def test_what_came_before_the_last_launch_is_over(run: Run, answer: Any) -> None:
    run.started().event("failed", kind="disk", message="the disk is full", stage="3s", region="")
    run.event("launched", world_size=1, host="far-away", pid=2, command="tttdit run nine.toml").started().event(
        "finished"
    )
    found = answer()
    assert found["ended"] == "finished"
    assert found["notes"] == ["launched 2 times; this is the last one"]


def test_another_number_of_ranks(run: Run, why: Why) -> None:
    run.started().event("stage_finished", stage="3s", step=150, loss=0.2).event(
        "needs_other_world", stage="9s", world_size=128
    )
    assert why() == (
        1,
        "nine: needs another number of ranks\n"
        "  done as far as this launch could: stage 9s needs 128 ranks, and it had 1 rank\n"
        "  change: start it on 128 ranks; tttdit launch torchrun nine.toml prints the lines of all stages\n",
    )


def test_out_of_gpu_memory_says_the_region_and_the_plan(run: Run, why: Why) -> None:
    run.started().step(1, peak_bytes=60 * GIB)
    run.event(
        "failed",
        kind="out_of_gpu_memory",
        message="out of GPU memory in layers.3.mlp: tried to allocate 2.00 GiB",
        region="layers.3.mlp",
        stage="3s",
    )
    assert why() == (
        1,
        "nine: out of GPU memory\n"
        "  out of GPU memory in layers.3.mlp: tried to allocate 2.00 GiB\n"
        "  seen: the largest step before it had 60.00 GiB at its peak\n"
        "  seen: 70.00 GiB were predicted for a rank\n"
        "  change: tttdit plan nine.toml --stage 3s finds a setting of [memory] that fits (--write puts it into the spec)\n"
        "  change: nvidia-smi shows whether another process holds memory on that GPU\n"
        "  goes on with: tttdit run nine.toml --output runs/nine\n",
    )


def test_killed_near_the_limit_while_a_checkpoint_was_staged(run: Run, why: Why) -> None:
    run.started().step(50).checkpoint(50).checkpoint(100, whole=False).step(100).event("saving", stage="3s", step=100)
    run.memory(20).memory(31, doing="checkpoint", rss_bytes=24 * GIB)
    assert why() == (
        1,
        "nine: out of main memory\n"
        "  killed behind step 100 of 150 of stage 3s; memory was at 97% of the container's limit, a checkpoint being staged\n"
        "  seen: the last line about memory: 31.00 GiB of 32.00 GiB in use, 24.00 GiB by rank 0, 6.00 GiB by other processes, "
        "1.00 GiB by its data workers\n"
        "  seen: it had risen by 11.00 GiB since the line before\n"
        "  seen: 20.00 GiB were predicted for a node\n"
        "  seen: the checkpoint's copy takes 12.00 GiB, and there was room for 1.00 GiB\n"
        "  note: kept/3s/step-00000100.partial was not finished; it is never loaded\n"
        "  last checkpoint: nine/kept/3s/step-00000050\n"
        "  change: checkpoint.asynchronous = false copies a checkpoint in pieces instead of all of it at once\n"
        "  change: give it more memory, or put fewer ranks on a node\n"
        "  goes on with: tttdit run nine.toml --output runs/nine\n",
    )


def test_a_copy_that_could_not_fit_is_the_cause_though_memory_was_not_near_yet(run: Run, answer: Any) -> None:
    run.started().step(100).memory(22).memory(22, doing="checkpoint")
    assert answer()["ended"] == "out_of_host_memory"


def test_memory_that_would_have_been_full_a_second_later(run: Run, answer: Any) -> None:
    run.started().step(100).memory(6).memory(20, workers_bytes=13 * GIB)
    found = answer()
    assert found["ended"] == "out_of_host_memory"
    assert "fewer data.workers (it is 4) take less" in found["change"]


def test_killed_far_from_the_limit(run: Run, why: Why) -> None:
    run.started().step(76).checkpoint(50).memory(8).memory(8)
    code, said = why()
    assert code == 1
    assert said.splitlines()[:3] == [
        "nine: killed",
        "  killed without a word behind step 76 of 150 of stage 3s; memory was at 25% of the container's limit, so it was not that",
        "  seen: the last line about memory: 8.00 GiB of 32.00 GiB in use, 6.00 GiB by rank 0, 1.00 GiB by its data workers, "
        "1.00 GiB by other processes",
    ]
    assert said.splitlines()[-1] == "  goes on with: tttdit run nine.toml --output runs/nine"


def test_killed_before_the_first_stage(run: Run, answer: Any) -> None:
    assert answer()["what"] == "killed without a word before its first stage; no line about memory was written"


def ranks(run: Run, *, last: Mapping[int, float], used: float = 8) -> None:
    """Lines of each rank, a second after the other, to so many seconds behind now."""
    append(
        run.folder.events, {"time": run.now, "event": "launched", "world_size": len(last), "host": "far-away", "pid": 1}
    )
    run.started()
    for rank, seconds in last.items():
        for second in (0.0, 1.0, seconds):
            run.memory(used, rank, at=run.now + second)


def test_a_rank_that_was_gone_before_the_others(run: Run, answer: Any) -> None:
    ranks(run, last={0: 1300.0, 1: 1300.0, 2: 95.0, 3: 1301.0})
    found = answer()
    assert found["ended"] == "lost_rank"
    assert found["what"].startswith("rank 2 was gone 0:20:06 before the others, which waited")


def test_a_rank_that_was_out_of_memory_before_the_others(run: Run, answer: Any) -> None:
    ranks(run, last={0: 1300.0, 1: 95.0})
    run.memory(31.5, 1, at=run.now + 96)
    found = answer()
    assert found["ended"] == "out_of_host_memory"
    assert "98% of the container's limit" in found["what"]


def test_ranks_that_waited_for_each_other_as_long_as_they_may(run: Run, answer: Any) -> None:
    ranks(run, last={0: 1201.0, 1: 1201.0})
    found = answer()
    assert found["ended"] == "lost_rank"
    assert found["what"].startswith("all ranks were in one step for 0:20:01, and were ended together")


def test_a_lost_rank_that_was_named(run: Run, answer: Any) -> None:
    message = "rank 3 did not answer in all_reduce (parallelism.timeout_seconds = 1,200): it has ended or hangs"
    run.started().event("failed", kind="lost_rank", message=message, stage="3s", region="")
    found = answer()
    assert (found["ended"], found["what"]) == ("lost_rank", message)
    assert "torchrun --max-restarts 3" in found["change"][0]


def test_a_full_disk(run: Run, answer: Any) -> None:
    run.started().event("failed", kind="disk", message="kept/3s cannot be written: the disk is full", stage="3s")
    found = answer()
    assert found["ended"] == "disk"
    assert "checkpoint.keep = 2" in found["change"][0]


def test_losses_that_were_not_finite(run: Run, answer: Any) -> None:
    run.started()
    run.event("skipped_step", stage="3s", step=3, in_a_row=1, tensor="the loss")
    run.event("skipped_step", stage="3s", step=9, in_a_row=1, tensor="layers.1.mlp.up.weight")
    run.event("skipped_step", stage="3s", step=10, in_a_row=2, tensor="the loss")
    run.event("failed", kind="not_finite", message="2 steps in a row were not finite", stage="3s")
    found = answer()
    assert found["seen"] == ["it began with step 9 of 3s, in layers.1.mlp.up.weight"]
    assert found["notes"] == [
        "3 steps skipped for numbers that are not finite, the last ones in the loss, layers.1.mlp.up.weight"
    ]


def test_a_bad_sample(run: Run, answer: Any) -> None:
    run.started().event("bad_sample", stage="3s", step=2, where="data.jsonl:7: text is [3]")
    run.event("failed", kind="bad_sample", message="data.jsonl:9: video has numbers that are not finite", stage="3s")
    found = answer()
    assert found["what"] == "data.jsonl:9: video has numbers that are not finite"
    assert found["notes"] == ["1 sample left out, the last one data.jsonl:7: text is [3]"]


def test_a_data_worker_that_the_kernel_killed(run: Run, answer: Any) -> None:
    message = "RuntimeError: DataLoader worker (pid 4242) is killed by signal: Killed."
    run.started().memory(31, workers_bytes=20 * GIB).event("failed", kind="error", message=message, stage="3s")
    assert answer()["ended"] == "out_of_host_memory"


def test_any_other_error(run: Run, answer: Any) -> None:
    run.started().event("failed", kind="error", message="ValueError: no", stage="3s")
    found = answer()
    assert (found["ended"], found["what"]) == ("error", "ValueError: no")


def at_work(run: Run, pid: int, host: str, age: float) -> None:
    run.now = time.time() - age - 3
    run.event("launched", world_size=1, host=host, pid=pid, command="tttdit run nine.toml")
    run.started().memory(8)


def test_a_run_that_is_at_work_here(run: Run, answer: Any) -> None:
    with tttdit_process() as process:
        at_work(run, process.pid, platform.node(), age=0)
        found = answer()
        assert found["ended"] == "running"
        assert found["what"] == f"at work, process {process.pid} behind step 0 of 150 of stage 3s"
        at_work(run, process.pid, platform.node(), age=300)
        assert "has written nothing for 0:05:00" in answer()["what"]
    assert answer()["ended"] == "killed"


def test_a_run_that_is_at_work_on_another_machine(run: Run, answer: Any) -> None:
    at_work(run, os.getpid(), "far-away", age=5)
    assert answer()["ended"] == "running"
    at_work(run, os.getpid(), "far-away", age=100)
    assert answer()["ended"] == "killed"


def test_lines_that_the_watch_has_put_aside_count(run: Run, answer: Any) -> None:
    run.started().memory(8).memory(31)
    path = run.folder.memory_of(0)
    path.rename(path.with_suffix(".before.jsonl"))
    assert answer()["ended"] == "out_of_host_memory"


class tttdit_process:  # noqa: N801
    """A process whose command line names tttdit."""

    def __enter__(self) -> subprocess.Popen[bytes]:
        self.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)  # tttdit"])
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def test_what_is_no_folder_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: Why) -> None:
    monkeypatch.chdir(tmp_path)
    assert why() == (
        2,
        "tttdit: nine is no folder of a run: tttdit run writes one, runs/NAME, or what --output names\n",
    )
    Path("nine").mkdir()
    assert why() == (
        2,
        "tttdit: nine is no folder of a run: it has no events.jsonl, which tttdit run writes first of all\n",
    )
    Path("nine/events.jsonl").write_bytes(b"\x00\xff")
    code, said = why()
    assert code == 1
    assert "events.jsonl tells of no launch" in said


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just(10**400)
    | st.just("\ud800../"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["total", "stage"]), inner, max_size=2),
    max_leaves=3,
)
KEYS = re.findall(
    r"\w+",
    "time event stage step steps predicted kind message region world_size host pid command in_a_row tensor where why "
    "loss peak_bytes doing rss_bytes workers_bytes node_used_bytes node_limit_bytes limited_by",
)
NAMES = re.findall(
    r"\w+",
    "launched stage_started saving saved not_saved skipped_step bad_sample stage_finished interrupted needs_other_world "
    "finished failed",
)
KINDS = ["not_finite", "out_of_gpu_memory", "out_of_host_memory", "disk", "lost_rank", "bad_sample", "error"]
LINE = st.dictionaries(st.sampled_from(KEYS), ANY, max_size=6)
EVENT = st.builds(
    lambda line, name, kind: {**line, "event": name, "kind": kind},
    LINE,
    st.sampled_from(NAMES),
    st.sampled_from(KINDS) | ANY,
)


def spoilt(lines: list[dict[str, Any]], junk: bytes) -> bytes:
    return b"\n".join([*(json.dumps(line).encode("ascii") for line in lines), junk])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(EVENT, max_size=6),
    lines=st.lists(LINE, max_size=4),
    junk=st.binary(max_size=40),
    spec=st.binary(max_size=30) | st.just(SPEC.encode()) | st.just(b'name = 3\nstage = ["a"]\n'),
)
def test_nothing_in_the_folder_makes_it_fail(
    events: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    junk: bytes,
    spec: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TTTDIT_DEBUG", "1")  # raise what is not expected
    path = Path("spoilt")
    path.mkdir(exist_ok=True)
    for name, content in {
        "events.jsonl": spoilt(events, junk),
        "metrics.jsonl": spoilt(lines, junk),
        "memory-0.jsonl": spoilt(lines, junk),
        "memory-1.before.jsonl": spoilt([*lines, *events], junk),
        "spec.toml": spec,
        "log.txt": junk,
    }.items():
        (path / name).write_bytes(content)
    for form in ("full", "json"):
        assert cli.outcome(cli.tttdit_command, "tttdit", ["why", "spoilt", "--output-format", form]) in (0, 1)
    capsys.readouterr()


def test_it_does_without_torch(run: Run) -> None:
    run.started().memory(8)
    code = "import sys; from tttdit.checker.cli import tttdit_command, outcome; outcome(tttdit_command, 'tttdit', sys.argv[1:]); "
    done = subprocess.run(
        [sys.executable, "-c", code + "print({'torch', 'numpy', 'sympy'} & set(sys.modules))", "why", "nine"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "set()"
