"""A kill at any moment, saves included, leaves a whole checkpoint: the last one that was promised, or a newer one."""

from __future__ import annotations

import itertools
import os
import random
import sys
from pathlib import Path

import pytest
import torch.distributed as distributed
from ranks import kill_ranks, run_ranks
from sharded_models import State, become, everyone, same, spread, whole

from tttdit.core.running.checkpoints import newest, partial, step_of
from tttdit.core.runtime.checkpoints.loading import load
from tttdit.core.runtime.checkpoints.saving import Checkpoints

WIDTH = 20_000  # so that writing takes a while


def save_without_end(folder: Path, promised: Path, again: bool) -> None:
    """On every rank: one checkpoint after the other, at once and in the background, each of a new step, or all of the same one."""
    checkpoints = Checkpoints(folder, keep=1, group=everyone())
    path = newest(folder)
    first = 0 if path is None else step_of(path)
    state = spread(first, (distributed.get_world_size(),), WIDTH)
    for step in itertools.count(first if again else first + 1):
        if not again:
            become(state, step, WIDTH)
        step = first if again else step
        checkpoints.save(step, state, {"stage": "first", "step": step}, asynchronous=step % 2 == 0)
        if step % 2 == 0:
            checkpoints.wait()
        if distributed.get_rank() == 0:
            promised.write_text(f"{step:08}")


def last(folder: Path, width: int = WIDTH) -> tuple[int, State, int]:
    """In one process: the step of the last checkpoint, what it holds, and how many partial ones there are beside it."""
    path = newest(folder)
    assert path is not None
    state = whole(0, width)
    load(path, state, everyone())
    return step_of(path), state, len(partial(folder))


@pytest.mark.parametrize(
    ("ranks", "again"), [(1, False), (1, True), (2, False)], ids=["one rank", "the same step", "two ranks"]
)
def test_what_was_saved_survives_a_kill(tmp_path: Path, ranks: int, again: bool) -> None:
    folder, promised = tmp_path / "first", tmp_path / "promised"
    chance = random.Random(7)
    caught = 0
    for _ in range(4):
        promised.unlink(missing_ok=True)
        seconds = chance.uniform(0, 0.2)
        kill_ranks(ranks, save_without_end, folder, promised, again, begun=promised, seconds=seconds)
        ((step, state, left),) = run_ranks(1, last, folder)
        assert step >= int(promised.read_text() or 0)
        assert same(state, whole(step, WIDTH))
        caught += left
    assert caught, "no kill came while something was being written"


def end_while_saving(folder: Path, step: int, changes: int) -> None:
    """On one rank: the state of step 1, then that of step 2 as `step`, but the process ends after so many changes of names."""
    checkpoints = Checkpoints(folder, keep=1, group=everyone())
    checkpoints.save(1, whole(1), {"stage": "first", "step": 1})
    left = changes

    def count(event: str, _: object) -> None:
        nonlocal left
        if event in ("os.rename", "os.rmdir"):  # told of before it is done
            left -= 1
            if left < 0:
                os._exit(9)

    sys.addaudithook(count)
    checkpoints.save(step, whole(2), {"stage": "first", "step": step})


def save_once_more(folder: Path) -> None:
    """On one rank."""
    Checkpoints(folder, keep=1, group=everyone()).save(3, whole(3), {"stage": "first", "step": 3})


@pytest.mark.parametrize(("step", "changes"), [(1, 6), (2, 5)], ids=["the same step", "the next step"])
def test_an_end_between_changes_of_names(tmp_path: Path, step: int, changes: int) -> None:
    """None of the moments that random kills may miss loses both; what is left the next checkpoint clears away."""
    held = []
    for number in range(changes):
        folder = tmp_path / str(number)
        with pytest.raises(AssertionError, match="ended with exit code 9"):
            run_ranks(1, end_while_saving, folder, step, number)
        ((_, state, _),) = run_ranks(1, last, folder, 6)
        held += [each for each in (1, 2) if same(state, whole(each))]
        run_ranks(1, save_once_more, folder)
        assert sorted(path.name for path in folder.iterdir()) == ["latest", "step-00000003"]
    assert held == sorted(held)
    assert len(held) == changes
    assert {*held} == {1, 2}
    run_ranks(1, end_while_saving, tmp_path / "whole", step, changes)  # there are no more
