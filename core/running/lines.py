"""JSON lines that are on disk when they have been written, and can be read whatever a kill has left of the last one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def append(path: Path, facts: Mapping[str, Any]) -> None:
    """Adds one line. A torn last line, which a kill left, is closed first, so that this one stands alone. Raises OSError."""
    text = json.dumps(facts, ensure_ascii=True, allow_nan=True) + "\n"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (("\n" if torn else "") + text).encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All lines that are whole objects, in their order; none for a file that is not there. Raises OSError for one that cannot be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for line in data.split(b"\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append(value)
    return found
