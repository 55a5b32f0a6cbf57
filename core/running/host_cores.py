"""How many CPU cores this process may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from tttdit.core.running.control_groups import CGROUPS, PROC, control_groups, number_of, text_of


@frozen
class HostCores:
    """`machine` are all that there are, `usable` those that we may be put on, `quota` what a container is limited to in sum."""

    machine: int
    usable: int
    quota: float | None


def host_cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> HostCores:
    """As it is now."""
    machine = os.cpu_count() or 1
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return HostCores(
        machine, len(affinity(0)) if affinity is not None else machine, min(_quotas(proc, cgroups), default=None)
    )


def _quotas(proc: Path, cgroups: Path) -> Iterator[float]:
    """Shares of a period, in microseconds: Documentation/admin-guide/cgroup-v2.rst (cpu.max) and scheduler/sched-bwc.rst (cfs_quota_us)."""
    for version, folder in control_groups("cpu", proc, cgroups):
        if version == 2:
            quota, _, period = text_of(folder / "cpu.max").strip().partition(" ")
            if quota.isdigit() and period.isdigit() and int(period):
                yield int(quota) / int(period)
            continue
        allowed, length = number_of(folder / "cpu.cfs_quota_us"), number_of(folder / "cpu.cfs_period_us")
        if allowed is not None and length:
            yield allowed / length
