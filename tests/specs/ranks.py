"""Runs a function on several ranks: processes of one gloo process group, which find each other by a file."""

from __future__ import annotations

import importlib.util
import inspect
import multiprocessing
import os
import pickle
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

_FROM = multiprocessing.get_context(
    "forkserver"
)  # with torch imported already, a rank starts in a fraction of a second
_FROM.set_forkserver_preload(["torch", "torch._dynamo", "torch.distributed.fsdp", "torch.distributed.checkpoint"])


def run_ranks(count: int, function: Callable[..., Any], *arguments: Any, timeout: float = 60) -> list[Any]:
    """Calls a function of a file's top level with these arguments on every rank; what it returned, rank by rank.

    Arguments and results are pickled. Raises AssertionError with the traceback of the first rank that fails, or with the ranks that are
    still at work after `timeout` seconds; then no rank goes on.
    """
    with _started(count, function, arguments, timeout) as ranks:
        return _collect(ranks, time.monotonic() + timeout)


def kill_ranks(
    count: int, function: Callable[..., Any], *arguments: Any, begun: Path, seconds: float, timeout: float = 60
) -> None:
    """Calls a function, which never returns, on every rank, and kills one after the other so many seconds after it has made a file.

    Raises AssertionError as `run_ranks` does, and where the file is not there within `timeout` seconds.
    """
    end = time.monotonic() + timeout
    with _started(count, function, arguments, timeout) as ranks:
        while not begun.exists():
            if time.monotonic() > end:
                raise AssertionError(f"{begun} was not made")
            ended = wait([each.answer for each in ranks], timeout=0.01)
            if ended:
                _collect(ranks, end)
        time.sleep(seconds)


@contextmanager
def _started(
    count: int, function: Callable[..., Any], arguments: Sequence[Any], timeout: float
) -> Iterator[list[_Rank]]:
    """The ranks at work; at the end all of them are killed."""
    with tempfile.TemporaryDirectory(prefix="ranks-") as folder:
        ranks = [_Rank(rank, count, Path(folder) / "store", function, arguments, timeout) for rank in range(count)]
        try:
            yield ranks
        finally:
            for each in ranks:
                each.process.kill()
                each.process.join()


class _Rank:
    def __init__(
        self, rank: int, count: int, store: Path, function: Callable[..., Any], arguments: Sequence[Any], timeout: float
    ) -> None:
        self.rank = rank
        self.answer, sending = _FROM.Pipe(duplex=False)
        place = (inspect.getfile(function), function.__name__)
        self.process = _FROM.Process(
            target=_run,
            args=(rank, count, store, place, pickle.dumps(arguments), timeout, sys.path, sending),
            daemon=True,
        )
        self.process.start()
        sending.close()


def _collect(ranks: Sequence[_Rank], end: float) -> list[Any]:
    results: dict[int, Any] = {}
    while len(results) < len(ranks):
        waited = {each.answer: each for each in ranks if each.rank not in results}
        ready = wait([*waited], timeout=max(0.0, end - time.monotonic()))
        if not ready:
            raise AssertionError(f"still at work: ranks {[each.rank for each in waited.values()]}")
        for connection in ready:
            assert isinstance(connection, Connection)
            rank = waited[connection]
            try:
                succeeded, said = pickle.loads(connection.recv_bytes())
            except EOFError:
                rank.process.join()
                raise AssertionError(f"rank {rank.rank} ended with exit code {rank.process.exitcode}") from None
            if not succeeded:
                raise AssertionError(f"rank {rank.rank} of {len(ranks)}:\n{said}")
            results[rank.rank] = said
    return [results[each.rank] for each in ranks]


def _run(
    rank: int,
    count: int,
    store: Path,
    place: tuple[str, str],
    pickled: bytes,
    timeout: float,
    path: list[str],
    answer: Connection,
) -> None:
    import torch
    import torch.distributed as distributed

    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
    sys.path[:] = path
    try:
        distributed.init_process_group(
            "gloo",
            store=distributed.FileStore(str(store), count),
            rank=rank,
            world_size=count,
            timeout=timedelta(seconds=timeout),
        )
        said = (True, _loaded(*place)(*pickle.loads(pickled)))
    except BaseException:
        said = (False, traceback.format_exc())
    answer.send_bytes(pickle.dumps(said))
    time.sleep(timeout)  # others may still talk to this one; whoever started all of them ends all of them


def _loaded(file: str, name: str) -> Callable[..., Any]:
    """A function of a file that need not be importable by a name, as tests are not."""
    module_name = f"_of_ranks_{Path(file).stem}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    function: Callable[..., Any] = getattr(module, name)
    return function
