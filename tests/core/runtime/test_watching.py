"""The watch over memory: lines that are on disk when a process is killed, one warning, a file that stays small, and its price."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tttdit.core.running.folder import RunFolder
from tttdit.core.running.host_memory import HostMemory
from tttdit.core.running.lines import read_lines
from tttdit.core.runtime import watching
from tttdit.core.runtime.watching import MemoryWatch, before

GIB = 2**30

KILLED = """
import os, sys, time
from pathlib import Path
from tttdit.core.running.folder import RunFolder
from tttdit.core.runtime.watching import MemoryWatch

with MemoryWatch(RunFolder(Path(sys.argv[1])), 3, warn=print, interval=0.05) as watch:
    watch.at(stage="9s", step=7, doing="checkpoint")
    time.sleep(0.5)
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_leaves(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -9
    lines = read_lines(RunFolder(tmp_path).memory_of(3))
    assert len(lines) >= 3
    last = lines[-1]
    assert (last["stage"], last["step"], last["doing"]) == ("9s", 7, "checkpoint")
    assert 50 * 2**20 < last["rss_bytes"] < last["node_used_bytes"] < last["node_limit_bytes"]
    assert last["gpu_allocated_bytes"] is None
    assert abs(last["time"] - time.time()) < 60


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How much of 100 GiB is in use; the last entry counts."""
    shares = [0.5]
    monkeypatch.setattr(
        watching, "host_memory", lambda: HostMemory(100 * GIB, int(shares[-1] * 100 * GIB), 10 * GIB, "cgroup")
    )
    return shares


def test_one_warning_until_memory_was_calm_again(
    used: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    watch = MemoryWatch(RunFolder(tmp_path), 0, warn=warnings.append)
    monkeypatch.setattr(watching, "started_bytes", lambda pid: 60 * GIB)
    for share, said in [(0.84, 0), (0.86, 1), (0.99, 1), (0.82, 1), (0.86, 1), (0.79, 1), (0.85, 2)]:
        used.append(share)
        watch._look()
        assert len(warnings) == said, share
    assert warnings[0] == (
        "main memory: 86.00 GiB of 100.00 GiB are in use (86% of what the cgroup has); most is held by its data workers, 60.00 GiB: "
        "fewer data.workers take less"
    )
    assert watch.room() == 15 * GIB


def test_the_file_begins_anew_and_the_one_before_stays(
    used: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LARGEST_FILE", 2000)
    folder = RunFolder(tmp_path)
    path = folder.memory_of(0)
    for launch in range(3):
        watch = MemoryWatch(folder, 0, warn=print)
        for step in range(20):
            watch.at(stage="3s", step=100 * launch + step, doing="step")
            watch._look()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["memory-0.before.jsonl", "memory-0.jsonl"]
    steps = [line["step"] for each in (before(path), path) for line in read_lines(each)]
    assert steps == sorted(steps)
    assert steps[-1] == 219
    assert all(each.stat().st_size < 2500 for each in tmp_path.iterdir())


def test_a_disk_that_takes_no_more_does_not_end_it(tmp_path: Path) -> None:
    with MemoryWatch(RunFolder(tmp_path / "gone"), 0, warn=print, interval=0.01):
        time.sleep(0.1)
    assert not (tmp_path / "gone").exists()


def test_its_price_is_below_one_percent_of_a_core(tmp_path: Path) -> None:
    """CPU time of one look, which is made once a second, with as many processes to look at as a rank with data workers has."""
    started = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(4)]
    try:
        watch = MemoryWatch(RunFolder(tmp_path), 0, warn=print)
        watch._look()
        began = time.thread_time()
        for _ in range(20):
            watch._look()
        assert (time.thread_time() - began) / 20 < 0.01
    finally:
        for each in started:
            each.kill()
            each.wait()
