"""Writes checkpoints: beside, then renamed, then pointed to."""

from __future__ import annotations

import json
import os
import platform
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as distributed
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemWriter
from torch.distributed.checkpoint.planner import SavePlan, SavePlanner
from torch.distributed.checkpoint.staging import DefaultStager, StagingOptions
from torch.distributed.checkpoint.state_dict_saver import save as save_state
from torch.distributed.checkpoint.storage import WriteResult
from torch.distributed.tensor import DTensor
from torch.futures import Future

from tttdit.core.errors import RunError
from tttdit.core.running.checkpoints import (
    BEFORE,
    FACTS,
    LATEST,
    PARTIAL,
    name_of,
    newest,
    number_in,
    partial,
    replaced,
    whole,
)
from tttdit.core.runtime.checkpoints.failing import agree, as_run_error, error_number, together

State = Mapping[str, Mapping[str, Tensor]]  # "model", "optimizer", "average": tensors by name

_Result = TypeVar("_Result")

SEEN_WITHIN = 60  # seconds that a network file system may show another node an old folder: `acdirmax` of nfs(5)


class Checkpoints:
    """The checkpoints of one stage. All ranks call the same methods in the same order.

    Every rank writes what it holds, of what several hold the same one of them. `group` is a process group on the CPU that nobody else
    uses at the same time. `on_failure` is told of a step that could not be written in the background, when the next one is saved; no
    other failure needs it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keep: int | None,
        group: distributed.ProcessGroup,
        on_failure: Callable[[int, RunError], None] | None = None,
    ) -> None:
        self.folder = folder
        self._keep, self._group, self._on_failure = keep, group, on_failure
        self._leads = distributed.get_rank(group) == 0
        self._background: _Background | None = None

    def save(self, step: int, state: State, facts: Mapping[str, Any], *, asynchronous: bool = False) -> Path:
        """Saves the state behind so many steps; the path that it has, or will have.

        Asynchronously it returns as soon as the state has been copied to main memory. Raises RunError on all ranks alike where the state
        cannot be written: it is as it was, so are the checkpoints before it, and the next call may succeed. What goes wrong later, in the
        background, `wait` raises; the next `save` does not, for it has a newer state to save, but tells `on_failure`.
        """
        self._settle()
        path = self.folder / name_of(step)
        beside = path.with_name(path.name + PARTIAL)
        tensors = {f"{part}.{name}": each for part, named in state.items() for name, each in named.items()}
        self._together(lambda: self._prepare(beside), path)
        self._together(lambda: _see(beside), path)
        if not asynchronous:
            self._together(lambda: self._write(tensors, path, beside, facts), path)
            return path
        staged = self._together(lambda: _staged(tensors), path)
        self._background = _Background(step, path, lambda: self._write(staged, path, beside, facts))
        return path

    def wait(self) -> None:
        """Until what is written in the background is on disk. Raises RunError on all ranks alike where it could not be written."""
        if self._background is not None:
            background, self._background = self._background, None
            agree(background.outcome(), background.path, "written", self._group)

    def has_room(self, state: State, room: int) -> bool:
        """Whether on every node the copies fit that its ranks make to save asynchronously; `room` is what this one has, in bytes.

        All ranks call it. What is being written in the background is finished first, for it has a copy too.
        """
        self._settle()
        needed = sum(_stored_bytes(each) for named in state.values() for each in named.values())
        said: list[Any] = [None] * distributed.get_world_size(self._group)
        distributed.all_gather_object(said, (platform.node(), needed, room), group=self._group)
        needs, rooms = defaultdict[str, int](int), dict[str, int]()
        for node, needed, room in said:
            needs[node] += needed
            rooms[node] = min(room, rooms.get(node, room))
        return all(needs[node] <= rooms[node] for node in needs)

    def has(self, step: int) -> bool:
        """Whether the last whole checkpoint is of this step."""
        latest = newest(self.folder)
        return latest is not None and latest.name == name_of(step)

    def _settle(self) -> None:
        step = self._background.step if self._background is not None else 0
        try:
            self.wait()
        except RunError as error:
            if self._on_failure is not None:
                self._on_failure(step, error)

    def _together(self, act: Callable[[], _Result], path: Path) -> _Result:
        return together(act, path, "written", self._group)

    def _prepare(self, beside: Path) -> None:
        """An empty folder to write into, where what a kill has left is gone."""
        if not self._leads:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in partial(self.folder):
            shutil.rmtree(left)
        for before in replaced(self.folder):
            again = before.with_name(before.name.removesuffix(BEFORE))
            if again.exists():
                _remove(before)
            else:
                before.rename(again)
        beside.mkdir()

    def _write(self, tensors: dict[str, Tensor], path: Path, beside: Path, facts: Mapping[str, Any]) -> None:
        """Writes this rank's part; the first rank then gives the whole its name. Not all ranks need hear of a failure here."""
        try:
            # when this returns on the first rank, all have written, and torch has written `.metadata`
            save_state(tensors, storage_writer=_Writer(beside, sync_files=True), process_group=self._group)
            if self._leads:
                self._publish(path, beside, facts)
        except BaseException:
            if self._leads:
                shutil.rmtree(beside, ignore_errors=True)  # a full disk has other use for the room
            raise

    def _publish(self, path: Path, beside: Path, facts: Mapping[str, Any]) -> None:
        said = {**facts, "tttdit": version("tttdit"), "torch": torch.__version__}
        _write_text(beside / FACTS, json.dumps(said))
        _sync(beside)
        before = path.with_name(path.name + BEFORE)
        if path.exists():
            path.rename(before)
        beside.rename(path)
        _sync(self.folder)
        pointer = self.folder / f"{LATEST}{PARTIAL}"
        _write_text(pointer, f"{path.name}\n")
        pointer.replace(self.folder / LATEST)
        _sync(self.folder)
        if before.exists():
            _remove(before)
        self._remove_old(number_in(path))

    def _remove_old(self, step: int) -> None:
        """Leaves the last few up to this step. What has more steps is another run's: this one began before it."""
        if self._keep is None:
            return
        for old in [each for each in whole(self.folder) if number_in(each) <= step][: -self._keep]:
            with suppress(OSError):  # what cannot go stays, and this one is saved all the same
                _remove(old)


class _Writer(FileSystemWriter):
    """torch's writer, which says why a file cannot be written.

    On a full disk what ends its zip file fails too ("unexpected pos"), and what torch sends to the other ranks is that alone.
    """

    def write_data(self, plan: SavePlan, planner: SavePlanner) -> Future[list[WriteResult]]:
        """Writes this rank's part. Raises OSError with the operating system's number, where that is the reason."""
        try:
            return super().write_data(plan, planner)
        except Exception as error:
            number = error_number(error)
            if number is None:
                raise
            raise OSError(number, os.strerror(number)) from None


class _Background:
    """A checkpoint that is being written in a thread of its own. Once it is written nothing of it stays in memory."""

    def __init__(self, step: int, path: Path, write: Callable[[], None]) -> None:
        self.step, self.path = step, path
        self._error: RunError | None = None
        self._thread = threading.Thread(target=self._run, args=(write,), name="tttdit-checkpoint", daemon=True)
        self._thread.start()

    def outcome(self) -> RunError | None:
        """Waits; what went wrong, if anything did."""
        self._thread.join()
        return self._error

    def _run(self, write: Callable[[], None]) -> None:
        try:
            write()
        except BaseException as error:  # torch's own is no Exception; whoever waits gets it
            self._error = as_run_error(error, self.path, "written")


def _stored_bytes(tensor: Tensor) -> int:
    """Bytes of main memory that a copy of this rank's part takes, with the padding of a shard."""
    local = tensor.to_local() if isinstance(tensor, DTensor) else tensor
    return local.untyped_storage().nbytes()


def _staged(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A copy in main memory, neither pinned nor shared: what torch's `async_save` makes where nothing else is asked for."""
    stager = DefaultStager(
        StagingOptions(
            use_pinned_memory=False, use_shared_memory=False, use_async_staging=False, use_non_blocking_copy=False
        )
    )
    staged = stager.stage(tensors)
    stager.close()
    assert isinstance(staged, dict)
    return staged


def _see(folder: Path) -> None:
    """Waits for a folder that the first rank has made. Raises RunError where this rank does not see it: it is on another disk."""
    end = time.monotonic() + SEEN_WITHIN
    while not folder.is_dir():
        if time.monotonic() > end:
            raise RunError(
                "disk",
                f"rank {distributed.get_rank()} does not see {folder}, which the first rank has made: checkpoint.folder has to "
                "lie on a disk that all nodes share",
            )
        time.sleep(0.2)


def _remove(folder: Path) -> None:
    """Removes a checkpoint, which is no whole one from the first moment on."""
    leaving = folder.with_name(folder.name + PARTIAL)
    folder.rename(leaving)
    shutil.rmtree(leaving)


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
