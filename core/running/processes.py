"""Resident memory of this process and of those that it has started, from /proc; cheap enough for every second.

The kernel's Documentation/filesystems/proc.rst: `statm`, whose second field are resident pages, and `task/TID/children`. Going over all
processes of a node to find children, as libraries do, takes milliseconds for each hundred of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tttdit.core.running.control_groups import PROC

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int, proc: Path = PROC) -> int:
    """What of a process is in main memory; pages that it shares with others count. Raises OSError for one that is not there."""
    return int((proc / str(pid) / "statm").read_text().split()[1]) * _PAGE


def started_bytes(pid: int, proc: Path = PROC) -> int:
    """The same of all processes that this one has started, directly or not, together."""
    total = 0
    for child in _descendants(pid, proc):
        try:
            total += resident_bytes(child, proc)
        except (OSError, IndexError):  # it has just gone
            continue
    return total


def _descendants(pid: int, proc: Path) -> Iterator[int]:
    try:
        threads = os.listdir(proc / str(pid) / "task")
    except OSError:
        return
    for thread in threads:
        try:
            children = (proc / str(pid) / "task" / thread / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield int(child)
            yield from _descendants(int(child), proc)
