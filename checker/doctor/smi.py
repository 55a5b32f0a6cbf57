"""What nvidia-smi says, where there is one: the driver, and how GPUs are linked."""

from __future__ import annotations

import re
import subprocess

PATIENCE = 20.0  # seconds; a GPU in trouble may not answer at all

_STYLE = re.compile(r"\x1b\[[\d;]*m")


def driver() -> str | None:
    """The driver's version."""
    lines = _said("--query-gpu=driver_version", "--format=csv,noheader")
    return lines[0].strip() if lines else None


def topology() -> tuple[str, ...]:
    """The matrix of links, and what its letters mean."""
    lines = (_STYLE.sub("", line).expandtabs().rstrip() for line in _said("topo", "-m"))
    return tuple(line for line in lines if line)


def _said(*arguments: str) -> list[str]:
    try:
        done = subprocess.run(
            ["nvidia-smi", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()
