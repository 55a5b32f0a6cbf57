"""Starts commands as processes of their own, on as many ranks as one likes, from a process that has imported torch already."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

_FROM = multiprocessing.get_context("forkserver")
_FROM.set_forkserver_preload(
    [
        "torch",
        "torch.distributed.fsdp",
        "torch.distributed.checkpoint",
        "tttdit.core.runtime.training.curriculum",
        "tttdit.checker.api",
    ]
)
PATIENCE = 240  # seconds after which a process hangs


class Started:
    """A command at work."""

    def __init__(self, process: BaseProcess, path: Path) -> None:
        self._process, self._path = process, path

    @property
    def output(self) -> str:
        """What it has written so far, to either stream."""
        return self._path.read_text("utf-8") if self._path.exists() else ""

    @property
    def is_running(self) -> bool:
        return self._process.is_alive()

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal, if it is still there."""
        assert self._process.pid is not None
        if self._process.is_alive():
            os.kill(self._process.pid, number)

    def wait(self) -> int:
        """Its exit code; minus the signal that killed it."""
        self._process.join(PATIENCE)
        if self._process.exitcode is None:
            self._process.kill()
            raise AssertionError(f"it hangs; so far it has said:\n{self.output}")
        return self._process.exitcode


def start(arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Started:
    """Starts `tttdit ARGUMENTS` in a folder."""
    number = len([*folder.glob("output-*.txt")])
    path = folder / f"output-{number}.txt"
    path.touch()
    process = _FROM.Process(target=_run, args=([*arguments], folder, path, dict(environment or {})))
    process.start()
    return Started(process, path)


def finish(arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Runs `tttdit ARGUMENTS` in a folder to its end: its exit code, and what it has written."""
    started = start(arguments, folder, environment)
    return started.wait(), started.output


def start_ranks(count: int, arguments: Sequence[str], folder: Path) -> list[Started]:
    """Starts `tttdit ARGUMENTS` as so many ranks of one launch, as torchrun does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [start(arguments, folder, {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(count)]


def finish_ranks(count: int, arguments: Sequence[str], folder: Path) -> tuple[set[int], str]:
    """Runs `tttdit ARGUMENTS` on so many ranks to its end: all exit codes, and what the first rank has written."""
    ranks = start_ranks(count, arguments, folder)
    codes = {each.wait() for each in ranks}
    return codes, ranks[0].output


def wait_for(condition: Callable[[], object]) -> None:
    """Waits for something that a command at work brings about."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def _run(arguments: list[str], folder: Path, output: Path, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    os.chdir(folder)
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)

    import torch

    from tttdit.checker.cli import outcome, tttdit_command

    torch.set_num_threads(1)
    code = outcome(tttdit_command, "tttdit", arguments)
    sys.stdout.flush()
    os._exit(code)
