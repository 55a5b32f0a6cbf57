"""What a machine or a container has: both versions of control groups, one inside the other, from files that are made up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tttdit.core.running.host_cores import host_cores
from tttdit.core.running.host_memory import HostMemory, host_memory
from tttdit.core.running.processes import resident_bytes, started_bytes

GIB = 2**30
MEMINFO = """\
MemTotal:       67108864 kB
MemFree:         1000000 kB
MemAvailable:   33554432 kB
Cached:         16777216 kB
Shmem:           8388608 kB
"""


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    """A /proc and a /sys/fs/cgroup: 64 GiB, of which 32 are in use."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(MEMINFO)
    groups.mkdir()
    return proc, groups


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)


def test_a_machine_without_containers(machine: tuple[Path, Path]) -> None:
    assert host_memory(*machine) == HostMemory(64 * GIB, 32 * GIB, 8 * GIB, "machine")


def test_the_tightest_of_nested_groups_counts(machine: tuple[Path, Path]) -> None:
    proc, groups = machine
    (proc / "self" / "cgroup").write_text("0::/pod/container\n")
    group(groups / "pod", memory__max=f"{16 * GIB}\n", memory__current=f"{12 * GIB}\n", memory__stat="active_file 0\n")
    group(
        groups / "pod" / "container",
        memory__max=f"{20 * GIB}\n",
        memory__current=f"{10 * GIB}\n",
        memory__stat=f"anon {6 * GIB}\nfile {4 * GIB}\nshmem {GIB}\nactive_file {GIB}\ninactive_file {2 * GIB}\n",
    )
    assert host_memory(*machine) == HostMemory(16 * GIB, 12 * GIB, 0, "cgroup")
    (groups / "pod" / "memory.max").write_text("max\n")
    found = host_memory(*machine)
    assert found == HostMemory(20 * GIB, 7 * GIB, 3 * GIB, "cgroup")  # what is shared memory stays
    assert (found.room, round(found.share, 2)) == (13 * GIB, 0.35)


def test_a_container_that_sees_its_own_group_as_the_root(machine: tuple[Path, Path]) -> None:
    proc, groups = machine
    (proc / "self" / "cgroup").write_text("12:cpu,memory:/docker/0123\n3:pids:/docker/0123\n")
    group(
        groups / "memory",
        memory__limit_in_bytes=f"{8 * GIB}\n",
        memory__usage_in_bytes=f"{7 * GIB}\n",
        memory__stat=f"cache {4 * GIB}\ntotal_active_file {GIB}\ntotal_inactive_file {GIB}\n",
    )
    assert host_memory(*machine) == HostMemory(8 * GIB, 5 * GIB, 2 * GIB, "cgroup")


def test_a_group_of_the_first_version_without_a_limit(machine: tuple[Path, Path]) -> None:
    proc, groups = machine
    (proc / "self" / "cgroup").write_text("4:memory:/\n")
    group(groups / "memory", memory__limit_in_bytes="9223372036854771712\n", memory__usage_in_bytes="1\n")
    assert host_memory(*machine).limit == "machine"


def test_the_cores_of_a_container(machine: tuple[Path, Path]) -> None:
    proc, groups = machine
    assert host_cores(*machine).quota is None
    (proc / "self" / "cgroup").write_text("0::/pod/container\n")
    group(groups / "pod", cpu__max="400000 100000\n")
    group(groups / "pod" / "container", cpu__max="max 100000\n")
    assert host_cores(*machine).quota == 4
    (proc / "self" / "cgroup").write_text("5:cpu,cpuacct:/\n")
    group(groups / "cpu", cpu__cfs_quota_us="150000\n", cpu__cfs_period_us="100000\n")
    assert host_cores(*machine).quota == 1.5


def test_processes_that_were_started_by_processes_that_were_started() -> None:
    held = 64 * 2**20
    inner = f"held = bytearray({held}); print('held', flush=True); import time; time.sleep(60)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    before = started_bytes(os.getpid())
    process = subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert started_bytes(os.getpid()) - before > held
        assert started_bytes(process.pid) > held > resident_bytes(process.pid)
    finally:
        os.killpg(process.pid, 9)
        process.wait()
    with pytest.raises(OSError, match="statm"):
        resident_bytes(2**31 - 1)
