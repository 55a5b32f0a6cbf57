"""What memory is, second by second, on disk: when a process is killed without a word, the last lines say what it was like."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from tttdit.core.running.folder import RunFolder
from tttdit.core.running.host_memory import SCARCE_FROM, HostMemory, host_memory
from tttdit.core.running.lines import append
from tttdit.core.running.processes import resident_bytes, started_bytes
from tttdit.core.wording import spoken_bytes

CALM_BELOW = 0.80  # share of main memory in use that the next warning has to be preceded by
# Bytes of a file, an hour and a half of lines; then it begins anew, and the one before stays beside it.
LARGEST_FILE = 2 * 2**20


class MemoryWatch:
    """Watches this process's memory, its children's and the node's in a thread, while it is entered."""

    def __init__(
        self,
        folder: RunFolder,
        rank: int,
        *,
        warn: Callable[[str], None],
        device: torch.device | None = None,
        interval: float = 1.0,
    ) -> None:
        """`warn` is told, once each time that main memory gets scarce, who holds most of it. `device` is the rank's."""
        self._path, self._warn, self._interval = folder.memory_of(rank), warn, interval
        # each thread has a current GPU of its own, which is the first one unless somebody says so
        self._gpu = device if device is not None and device.type == "cuda" else None
        self._at: dict[str, Any] = {"stage": None, "step": 0, "doing": "start"}
        self._warned = False
        self._over = threading.Event()

    def at(self, *, stage: str, step: int, doing: str) -> None:
        """Where the run is: "start", "step", "validation" or "checkpoint" of a step."""
        self._at = {"stage": stage, "step": step, "doing": doing}

    def room(self) -> int:
        """Bytes of main memory that can still be had on this node, page cache that can be given up included."""
        return host_memory().room

    def __enter__(self) -> MemoryWatch:
        self._thread = threading.Thread(target=self._watch, name="tttdit-memory", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            with suppress(OSError):  # a full disk: there is another second
                self._look()
            if self._over.wait(self._interval):
                return

    def _look(self) -> None:
        host = host_memory()
        rss, workers = resident_bytes(os.getpid()), started_bytes(os.getpid())
        on_gpu = self._gpu is not None and torch.cuda.is_initialized()
        append(
            self._file(),
            {
                "time": time.time(),
                **self._at,
                "rss_bytes": rss,
                "workers_bytes": workers,
                "node_used_bytes": host.used,
                "node_cached_bytes": host.cached,
                "node_limit_bytes": host.total,
                "limited_by": host.limit,
                "gpu_allocated_bytes": torch.cuda.memory_allocated(self._gpu) if on_gpu else None,
                "gpu_reserved_bytes": torch.cuda.memory_reserved(self._gpu) if on_gpu else None,
            },
        )
        if host.share >= SCARCE_FROM and not self._warned:
            self._warned = True
            self._warn(_scarce(host, rss, workers, self._at["doing"]))
        elif host.share < CALM_BELOW:
            self._warned = False

    def _file(self) -> Path:
        with suppress(FileNotFoundError):
            if self._path.stat().st_size >= LARGEST_FILE:
                self._path.replace(before(self._path))
        return self._path


def before(path: Path) -> Path:
    """Where the lines before those in a file of `MemoryWatch` are."""
    return path.with_suffix(".before.jsonl")


def _scarce(host: HostMemory, rss: int, workers: int, doing: str) -> str:
    others = max(host.used - rss - workers, 0)
    holders = {"this process": rss, "its data workers": workers, "other processes": others}
    most = max(holders, key=lambda name: holders[name])
    advice = {
        "this process": "a checkpoint is being copied: checkpoint.asynchronous = false copies it in pieces"
        if doing == "checkpoint"
        else "tttdit-check says what a rank is expected to take",
        "its data workers": "fewer data.workers take less",
        "other processes": "ranks of this node among them",
    }[most]
    return (
        f"main memory: {spoken_bytes(host.used)} of {spoken_bytes(host.total)} are in use ({host.share:.0%} of what the {host.limit} has); "
        f"most is held by {most}, {spoken_bytes(holders[most])}: {advice}"
    )
