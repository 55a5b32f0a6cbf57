"""Checkpoints of one process and of several: on any mesh, whole or not there at all."""

from __future__ import annotations

import errno
import gc
import json
import os
import resource
import shutil
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as distributed
from ranks import run_ranks
from sharded_models import everyone, gathered, same, spread, whole
from torch.distributed.checkpoint.filesystem import FileSystemWriter

from tttdit.core.errors import RunError
from tttdit.core.running.checkpoints import facts_of, newest, partial, step_of
from tttdit.core.runtime.checkpoints import saving
from tttdit.core.runtime.checkpoints.loading import load
from tttdit.core.runtime.checkpoints.saving import Checkpoints

FACTS = {"stage": "first", "mesh": [1, 2, 1]}


def save(folder: Path, step: int, mesh: tuple[int, ...], *, asynchronous: bool = False, width: int = 6) -> None:
    """On every rank."""
    checkpoints = Checkpoints(folder, keep=None, group=everyone())
    state = spread(step, mesh, width)
    checkpoints.save(step, state, {**FACTS, "step": step}, asynchronous=asynchronous)
    for named in state.values():
        for each in named.values():
            each.zero_()  # training goes on while it is written
    checkpoints.wait()


def loaded(folder: Path, mesh: tuple[int, ...], width: int = 6) -> Any:
    """On every rank."""
    path = newest(folder)
    assert path is not None
    state = spread(0, mesh, width)
    load(path, state, everyone())
    return gathered(state)


def loaded_alone(folder: Path, width: int = 6) -> Any:
    """In one process, as plain tensors."""
    path = newest(folder)
    assert path is not None
    state = whole(0, width)
    load(path, state, everyone())
    return state


def complaint(function: Any, *arguments: Any) -> tuple[str, str]:
    """On every rank: of what kind the error is that a call raises, and what it says."""
    try:
        function(*arguments)
    except RunError as error:
        return error.kind, str(error)
    return "", "nothing was raised"


@pytest.mark.parametrize("asynchronous", [False, True], ids=["at once", "in the background"])
def test_what_two_ranks_saved_one_process_loads(tmp_path: Path, asynchronous: bool) -> None:
    run_ranks(2, save_from_two, tmp_path, asynchronous)
    path = newest(tmp_path)
    assert path == tmp_path / "step-00000500"
    assert (tmp_path / "latest").read_text() == "step-00000500\n"
    assert not partial(tmp_path)
    assert facts_of(path) == {
        **FACTS,
        "step": 500,
        "tttdit": saving.version("tttdit"),
        "torch": torch.__version__,
    }
    (state,) = run_ranks(1, loaded_alone, tmp_path)
    assert same(state, whole(500))


def save_from_two(folder: Path, asynchronous: bool) -> None:
    save(folder, 500, (2,), asynchronous=asynchronous)


@pytest.mark.parametrize(
    ("saved_on", "loaded_on"),
    [
        ((1,), (2,)),
        ((2,), (4,)),
        ((4,), (1,)),
        ((2, 2), (2,)),
        ((2,), (2, 2)),
        ((2,), (1, 2, 2)),
        ((1, 2, 2), (2,)),
        ((2, 1, 2), (2, 2)),
    ],
    ids=str,
)
def test_any_mesh_to_any_mesh(tmp_path: Path, saved_on: tuple[int, ...], loaded_on: tuple[int, ...]) -> None:
    """A width of 5 on 4 ranks: the last one has nothing."""
    run_ranks(torch.Size(saved_on).numel(), save, tmp_path, 7, saved_on)
    for state in run_ranks(torch.Size(loaded_on).numel(), loaded, tmp_path, loaded_on):
        assert same(state, whole(7))


def test_replicas_write_once(tmp_path: Path) -> None:
    run_ranks(4, save_wide, tmp_path / "replicas", (2, 2))
    run_ranks(2, save_wide, tmp_path / "alone", (2,))
    numbers = sum(each.numel() for named in whole(1, 4000).values() for each in named.values())
    for name in ("replicas", "alone"):
        written = sum(path.stat().st_size for path in (tmp_path / name / "step-00000001").glob("*.distcp"))
        assert 4 * numbers < written < 4 * numbers * 1.1, name


def save_wide(folder: Path, mesh: tuple[int, ...]) -> None:
    save(folder, 1, mesh, width=4000)


def test_the_last_few_are_kept(tmp_path: Path) -> None:
    run_ranks(1, save_five, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "step-00000008", "step-00000010"]


def save_five(folder: Path) -> None:
    checkpoints = Checkpoints(folder, keep=2, group=everyone())
    for step in (2, 4, 6, 8, 10):
        checkpoints.save(step, whole(step), {**FACTS, "step": step}, asynchronous=step % 4 == 0)
        assert checkpoints.has(step) or step % 4 == 0
    checkpoints.wait()


def test_a_run_that_began_before_leaves_later_ones(tmp_path: Path) -> None:
    """It keeps its own, although those of the run before it have more steps."""
    run_ranks(1, save_after_going_back, tmp_path)
    assert newest(tmp_path) == tmp_path / "step-00000005"
    assert [path.name for path in sorted(tmp_path.glob("step-*"))] == [f"step-{step:08}" for step in (4, 5, 8, 10)]


def save_after_going_back(folder: Path) -> None:
    save_five(folder)
    checkpoints = Checkpoints(folder, keep=2, group=everyone())
    for step in (3, 4, 5):
        checkpoints.save(step, whole(step), {**FACTS, "step": step})


def test_the_same_step_again(tmp_path: Path) -> None:
    (state,) = run_ranks(1, save_twice, tmp_path)
    assert same(state, whole(99))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "step-00000003"]


def save_twice(folder: Path) -> Any:
    checkpoints = Checkpoints(folder, keep=1, group=everyone())
    checkpoints.save(3, whole(3), {**FACTS, "step": 3})
    (folder / "step-00000002.partial").mkdir()  # what a kill has left
    (folder / "step-00000003.partial").mkdir()
    checkpoints.save(3, whole(99), {**FACTS, "step": 3})
    return loaded_alone(folder)


# -- failures


@pytest.mark.parametrize("asynchronous", [False, True], ids=["at once", "in the background"])
def test_a_full_disk_is_one_line_on_every_rank(tmp_path: Path, asynchronous: bool) -> None:
    """The disk of one of two ranks: both hear of it, nothing is left of it, and what was there still loads; then there is room again."""
    said = run_ranks(2, save_on_a_full_disk, tmp_path, asynchronous)
    for kind, message, steps, state in said:
        assert (kind, message) == ("disk", f"{tmp_path / 'step-00000002'} cannot be written: the disk is full")
        assert steps == [1, 3]
        assert same(state, whole(3))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "step-00000001", "step-00000003"]


def save_on_a_full_disk(folder: Path, asynchronous: bool) -> Any:
    group = everyone()
    checkpoints = Checkpoints(folder, keep=None, group=group)
    steps = []

    def attempt(step: int) -> None:
        checkpoints.save(step, spread(step, (2,)), {**FACTS, "step": step}, asynchronous=asynchronous)
        checkpoints.wait()

    attempt(1)
    steps.append(step_of(newest(folder)))  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        if distributed.get_rank() == 1:
            patch.setattr(FileSystemWriter, "write_data", full)
        kind, message = complaint(attempt, 2)
    distributed.barrier()
    assert newest(folder) == folder / "step-00000001"
    attempt(3)
    steps.append(step_of(newest(folder)))  # type: ignore[arg-type]
    state = spread(0, (2,))
    load(newest(folder), state, group)  # type: ignore[arg-type]
    return kind, message, steps, gathered(state)


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_that_ends_too_soon(tmp_path: Path) -> None:
    """torch's own words for it would be "unexpected pos 704 vs 598"."""
    message = f"{tmp_path / 'step-00000001'} cannot be written: File too large"
    assert run_ranks(2, save_into_small_files, tmp_path) == [("disk", message)] * 2
    assert [*tmp_path.iterdir()] == []


def save_into_small_files(folder: Path) -> tuple[str, str]:
    checkpoints = Checkpoints(folder, keep=None, group=everyone())
    state = spread(1, (2,), 10_000)
    if distributed.get_rank() == 1:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    return complaint(checkpoints.save, 1, state, {**FACTS, "step": 1})


def test_a_failure_in_the_background_does_not_keep_the_next_from_being_saved(tmp_path: Path) -> None:
    for told, path in run_ranks(2, save_after_a_failure, tmp_path):
        assert told == [(2, "disk", f"{tmp_path / 'step-00000002'} cannot be written: the disk is full")]
        assert path == tmp_path / "step-00000004"
    for state in run_ranks(2, loaded, tmp_path, (2,)):
        assert same(state, whole(4))


def save_after_a_failure(folder: Path) -> Any:
    told: list[tuple[int, str, str]] = []
    checkpoints = Checkpoints(
        folder,
        keep=None,
        group=everyone(),
        on_failure=lambda step, error: told.append((step, error.kind, str(error))),
    )
    with pytest.MonkeyPatch.context() as patch:
        if distributed.get_rank() == 0:
            patch.setattr(FileSystemWriter, "finish", full)
        checkpoints.save(2, spread(2, (2,)), {**FACTS, "step": 2}, asynchronous=True)
        checkpoints._background._thread.join()  # type: ignore[union-attr]
    checkpoints.save(4, spread(4, (2,)), {**FACTS, "step": 4}, asynchronous=True)
    checkpoints.wait()
    return told, newest(folder)


def test_a_copy_that_one_rank_cannot_make(tmp_path: Path) -> None:
    """Nobody waits for it: the other ranks hear of it before they begin to write."""
    message = f"{tmp_path / 'step-00000001'} cannot be written: main memory has no room for it"
    assert run_ranks(2, save_without_memory, tmp_path) == [("out_of_host_memory", message)] * 2
    assert newest(tmp_path) is None


def save_without_memory(folder: Path) -> tuple[str, str]:
    def stage(*_: Any) -> None:
        torch.empty(1 << 60)

    checkpoints = Checkpoints(folder, keep=None, group=everyone())
    state = spread(1, (2,))
    with pytest.MonkeyPatch.context() as patch:
        if distributed.get_rank() == 1:
            patch.setattr(saving.DefaultStager, "stage", stage)
        return complaint(lambda: checkpoints.save(1, state, {**FACTS, "step": 1}, asynchronous=True))


@pytest.mark.parametrize("fails", [False, True])
def test_the_copy_goes_when_it_is_written(tmp_path: Path, fails: bool) -> None:
    """Not when the next one is saved."""
    assert run_ranks(1, copies_left, tmp_path, fails) == [[]]


def copies_left(folder: Path, fails: bool) -> list[str]:
    copies: dict[str, Any] = {}
    staged = saving._staged

    def watched(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        copy = staged(tensors)
        copies.update({name: weakref.ref(each) for name, each in copy.items()})
        return copy

    checkpoints = Checkpoints(folder, keep=None, group=everyone())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "_staged", watched)
        if fails:
            patch.setattr(FileSystemWriter, "finish", full)
        checkpoints.save(1, whole(1), {**FACTS, "step": 1}, asynchronous=True)
        checkpoints._background._thread.join()  # type: ignore[union-attr]
    assert len(copies) == 9
    gc.collect()
    return [name for name, copy in copies.items() if copy() is not None]


def test_room_for_copies(tmp_path: Path) -> None:
    """Of all ranks of a node together, with what the last shard of a parameter (7 and 5 rows) is filled up to."""
    parameters, moments = 8 * 3 + 8 + 6 * 7, 2 * (7 * 3 + 7 + 5 * 7)
    numbers = parameters + moments
    for name, room in (("enough", 4 * numbers), ("too little", 4 * numbers - 1)):
        assert run_ranks(2, ask_for_room, tmp_path / name, room) == [room == 4 * numbers] * 2


def ask_for_room(folder: Path, room: int) -> bool:
    checkpoints = Checkpoints(folder, keep=None, group=everyone())
    state = spread(1, (2,), width=7)
    checkpoints.save(1, state, {**FACTS, "step": 1}, asynchronous=True)
    return checkpoints.has_room(state, room if distributed.get_rank() else 1 << 60)


@pytest.mark.parametrize("where", ["mkdir", "rename", "fsync"])
def test_a_folder_that_takes_nothing(tmp_path: Path, where: str) -> None:
    said = run_ranks(2, save_where_nothing_can_be, tmp_path / "deep" / "folder", where)
    path = tmp_path / "deep" / "folder" / "step-00000001"
    assert said == [("disk", f"{path} cannot be written: the file system is read-only")] * 2
    assert newest(path.parent) is None


def save_where_nothing_can_be(folder: Path, where: str) -> tuple[str, str]:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    checkpoints = Checkpoints(folder, keep=None, group=everyone())
    state = spread(1, (2,))
    with pytest.MonkeyPatch.context() as patch:
        if distributed.get_rank() == 0:
            patch.setattr(os if where == "fsync" else Path, where, refuse)
        return complaint(checkpoints.save, 1, state, {**FACTS, "step": 1})


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "first").write_text("")
    (said,) = run_ranks(1, save_there, tmp_path / "first")
    assert said == ("disk", f"{tmp_path / 'first' / 'step-00000001'} cannot be written: File exists")


def save_there(folder: Path) -> tuple[str, str]:
    checkpoints = Checkpoints(folder, keep=None, group=everyone())
    return complaint(checkpoints.save, 1, whole(1), {**FACTS, "step": 1})


def test_ranks_with_disks_of_their_own(tmp_path: Path) -> None:
    said = run_ranks(2, save_apart, tmp_path)
    there = tmp_path / "1" / "step-00000001.partial"
    assert (
        said
        == [
            (
                "disk",
                f"rank 1 does not see {there}, which the first rank has made: checkpoint.folder has to lie on a disk that all nodes share",
            )
        ]
        * 2
    )


def save_apart(folder: Path) -> tuple[str, str]:
    checkpoints = Checkpoints(folder / str(distributed.get_rank()), keep=None, group=everyone())
    state = spread(1, (2,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "SEEN_WITHIN", 0.3)
        return complaint(checkpoints.save, 1, state, {**FACTS, "step": 1})


# -- loading what cannot be


def changed(folder: Path, what: str) -> Any:
    """On every rank: what loading says into a state that is another one."""
    state = spread(0, (2,))
    model = state["model"]
    if what == "names":
        state["model"] = {f"blocks.{name}": each for name, each in model.items()}
    elif what == "shapes":
        state = spread(0, (2,), width=8)
    elif what == "fewer":
        state["model"] = {"0.bias": model["0.bias"]}
    elif what == "average":
        state["average"] = model
    before = gathered(state)
    path = newest(folder)
    assert path is not None
    said = complaint(load, path, state, everyone())
    assert same(gathered(state), before)
    return said


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (
            "names",
            "is a checkpoint of another model: model.blocks.0.weight is not in it; model.blocks.0.bias is not in it; "
            "model.blocks.1.weight is not in it; and 3 more",
        ),
        (
            "shapes",
            "is a checkpoint of another model: model.0.weight is [6, 3] in it, and [8, 3] here; model.0.bias is [6] in it, and "
            "[8] here; model.1.weight is [5, 6] in it, and [5, 8] here; and 6 more",
        ),
        (
            "fewer",
            "is a checkpoint of another model: it has model.0.weight, which this one has not; it has model.1.weight, which this "
            "one has not",
        ),
        ("average", "has no average: it has model, optimizer"),
    ],
)
def test_a_checkpoint_of_another_model(tmp_path: Path, what: str, message: str) -> None:
    run_ranks(2, save, tmp_path, 1, (2,))
    assert run_ranks(2, changed, tmp_path, what) == [("error", f"{tmp_path / 'step-00000001'} {message}")] * 2


def damage(path: Path, what: str) -> None:
    (_, data) = sorted(path.glob("*.distcp"))
    if what == "gone":
        data.unlink()
    elif what == "cut":
        data.write_bytes(data.read_bytes()[:-700])
    elif what == "half":
        metadata = path / ".metadata"
        metadata.write_bytes(metadata.read_bytes()[: metadata.stat().st_size // 2])
    elif what == "pickle":
        (path / ".metadata").write_bytes(b"cos\nsystem\n(S'touch harmed'\ntR.")


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        ("gone", "disk", "cannot be read: No such file or directory"),
        ("cut", "error", "cannot be read: "),
        ("half", "error", ".metadata is no metadata of a checkpoint: "),
        ("pickle", "error", "names os.system, which no checkpoint needs: it is not read"),
    ],
)
def test_a_damaged_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, kind: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run_ranks(2, save_wide, tmp_path, (2,))
    damage(tmp_path / "step-00000001", what)
    said = run_ranks(2, complain_while_loading, tmp_path)
    for each in said:
        assert each[0] == kind, each
        assert message in each[1]
        assert "\n" not in each[1]
        assert len(each[1]) < 400 + len(str(tmp_path))
    assert said[0] == said[1]
    assert not (tmp_path / "harmed").exists()


def complain_while_loading(folder: Path) -> tuple[str, str]:
    return complaint(loaded, folder, (2,), 4000)


def test_facts_are_json(tmp_path: Path) -> None:
    run_ranks(1, save, tmp_path, 3, (1,))
    assert json.loads((tmp_path / "step-00000003" / "facts.json").read_text())["step"] == 3
    shutil.rmtree(tmp_path / "step-00000003")
    assert newest(tmp_path) is None
