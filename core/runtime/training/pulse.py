"""Whether the other ranks still live, whatever their steps wait for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from types import TracebackType

from torch._C._distributed_c10d import Store

INTERVAL = 1.0  # seconds
PATIENCE = 10.0  # seconds that a store has for its last answer; one that has gone, or has been stopped, gives none
OURS = "tttdit-"  # what the names of all our threads begin with


class Pulse:
    """Counts in the store of all ranks, in a thread, while it is entered; who does not count any more is gone, or has been stopped."""

    def __init__(self, store: Store, rank: int) -> None:
        self._store, self._rank = store, rank
        self._over = threading.Event()

    def __enter__(self) -> Pulse:
        self._thread = threading.Thread(target=self._count, name=f"{OURS}pulse", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(PATIENCE)

    def _count(self) -> None:
        try:
            while not self._over.wait(INTERVAL):
                self._store.add(_key(self._rank), 1)
        except RuntimeError:  # the store is gone with the rank that kept it
            return


def end_process(code: int) -> None:
    """Ends the process at once where a thread of ours still is inside torch: a pulse that waits for a store, a checkpoint being written
    when the run failed. Python's own end would let the thread end there, which aborts the process (std::terminate), whatever the exit code
    was to be.
    """
    if any(thread.name.startswith(OURS) for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def counts(store: Store, ranks: Iterable[int]) -> dict[int, int]:
    """How far each rank has counted. Raises RuntimeError where the store is gone."""
    return {rank: store.add(_key(rank), 0) for rank in ranks}


def _key(rank: int) -> str:
    return f"tttdit pulse {rank}"
