"""The control groups (cgroups) that this process is in, of either version, with those around them.

A container's limits stand in one of them. Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/cgroups.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")

Version: TypeAlias = Literal[1, 2]


def control_groups(controller: str, proc: Path = PROC, cgroups: Path = CGROUPS) -> Iterator[tuple[Version, Path]]:
    """The folders of the groups that limit what a controller ("memory", "cpu") hands out, each with its version."""
    for line in text_of(proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            for folder in _upwards(cgroups, path):
                yield 2, folder
        elif controller in controllers.split(","):
            for folder in _upwards(cgroups / controller, path):
                yield 1, folder


def text_of(path: Path) -> str:
    """What one of their files says; "" where there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""


def number_of(path: Path) -> int | None:
    """The number in one of their files; None where there is none, or it says `max`."""
    text = text_of(path).strip()
    return int(text) if text.isdigit() else None


def _upwards(root: Path, path: str) -> Iterator[Path]:
    """The folders of a group and of those around it; a container may see its own as the root."""
    inner = PurePosixPath(path.lstrip("/"))
    for each in (inner, *inner.parents):
        yield root / each
