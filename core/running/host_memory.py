"""How much main memory this machine, or the container that we are in, has and uses.

A container's limit stands in its control group (cgroup), or in one around it: the smallest counts. Sources: the kernel's
Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from tttdit.core.running.control_groups import CGROUPS, PROC, control_groups, number_of, text_of

SCARCE_FROM = 0.85  # share of main memory in use that a run warns from, and `tttdit why` looks for when a run is gone


@frozen
class HostMemory:
    """Bytes. `used` is what the kernel cannot have back, `cached` are files that it gives up when memory is wanted.

    `limit` says whose `total` it is. What lies in /dev/shm, batches of data workers among it, is used: it has no file to go back to.
    """

    total: int
    used: int
    cached: int
    limit: str  # "cgroup" or "machine"

    @property
    def room(self) -> int:
        """What more can be had."""
        return max(self.total - self.used, 0)

    @property
    def share(self) -> float:
        """How full it is."""
        return self.used / self.total if self.total else 0.0


def host_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> HostMemory:
    """As it is now: of the control group with the least room, or of the machine where none has a limit."""
    machine = _machine(proc)
    return min([machine, *_groups(proc, cgroups)], key=lambda one: one.room)


def _machine(proc: Path) -> HostMemory:
    values = {}
    for line in (proc / "meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        values[name] = int(rest.split()[0]) * 1024
    total, available = values["MemTotal"], values["MemAvailable"]
    return HostMemory(total, total - available, max(values.get("Cached", 0) - values.get("Shmem", 0), 0), "machine")


def _groups(proc: Path, cgroups: Path) -> Iterator[HostMemory]:
    """The groups around this process that have a limit."""
    for version, folder in control_groups("memory", proc, cgroups):
        yield from _second_version(folder) if version == 2 else _first_version(folder)


def _second_version(folder: Path) -> Iterator[HostMemory]:
    limit, used = number_of(folder / "memory.max"), number_of(folder / "memory.current")
    if limit is not None and used is not None:
        yield _of(limit, used, _stat(folder / "memory.stat", "active_file", "inactive_file"))


def _first_version(folder: Path) -> Iterator[HostMemory]:
    limit, used = number_of(folder / "memory.limit_in_bytes"), number_of(folder / "memory.usage_in_bytes")
    if limit is not None and used is not None and limit < 1 << 60:  # what stands for no limit is near 2^63
        yield _of(limit, used, _stat(folder / "memory.stat", "total_active_file", "total_inactive_file"))


def _of(limit: int, used: int, cached: int) -> HostMemory:
    return HostMemory(limit, max(used - cached, 0), cached, "cgroup")


def _stat(path: Path, *names: str) -> int:
    """The sum of these lines of a memory.stat."""
    fields = (line.split() for line in text_of(path).splitlines())
    return sum(int(each[1]) for each in fields if len(each) == 2 and each[0] in names and each[1].isdigit())
