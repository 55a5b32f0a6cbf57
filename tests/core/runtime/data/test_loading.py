"""Batches: the same however they are read, whoever goes on, and whatever is wrong with some samples."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from numbered_samples import Numbers

from tttdit.core.errors import RunError
from tttdit.core.plugin.local import load_local
from tttdit.core.runtime.data.loading import Batch, Loader

LOADER = Loader(
    source=Numbers(7),
    wanted={"number": (1,), "drawn": (1,)},
    samples=7,
    seed=3,
    stage="9s",
    shuffle=True,
    skips_bad=False,
    batch=2,
    rank=0,
    ranks=1,
    workers=0,
    first=0,
    pin=False,
)


def taken(loader: Loader, count: int) -> list[Batch]:
    return [*islice(loader, count)]


def content(batches: Iterable[Batch]) -> list[tuple[list[float], list[float]]]:
    return [
        (batch.tensors["number"].flatten().tolist(), batch.tensors["drawn"].flatten().tolist()) for batch in batches
    ]


def numbers(batches: Iterable[Batch]) -> list[float]:
    return [number for told, _ in content(batches) for number in told]


@given(ranks=st.integers(1, 4), batch=st.integers(1, 3), steps=st.integers(1, 6), seed=st.integers(0, 99))
def test_ranks_share_the_order(ranks: int, batch: int, steps: int, seed: int) -> None:
    """What all ranks see together, micro-step by micro-step, is what one with their batches together sees."""
    each = [
        content(taken(evolve(LOADER, ranks=ranks, rank=rank, batch=batch, seed=seed), steps)) for rank in range(ranks)
    ]
    whole = content(taken(evolve(LOADER, batch=batch * ranks, seed=seed), steps))
    for step in range(steps):
        for what in (0, 1):  # numbers, and what was drawn for them
            assert [one for rank in range(ranks) for one in each[rank][step][what]] == whole[step][what]


@given(samples=st.integers(1, 12), ranks=st.integers(1, 3), batch=st.integers(1, 3))
def test_every_sample_comes_once_a_pass(samples: int, ranks: int, batch: int) -> None:
    loader = evolve(LOADER, source=Numbers(samples), samples=samples, batch=batch * ranks)
    passes = 3
    seen = numbers(taken(loader, -(-passes * samples // (batch * ranks))))
    for one in range(passes):
        assert sorted(seen[one * samples : (one + 1) * samples]) == [*range(samples)]


@given(first=st.integers(0, 20), rank=st.integers(0, 1))
def test_who_goes_on_sees_what_would_have_come(first: int, rank: int) -> None:
    loader = evolve(LOADER, ranks=2, rank=rank)
    assert content(taken(evolve(loader, first=first), 4)) == content(taken(loader, first + 4))[first:]


def test_what_is_drawn_is_new_in_every_pass_and_stage() -> None:
    loader = evolve(LOADER, source=Numbers(1), samples=1, batch=1)
    draws = [told[0] for _, told in content(taken(loader, 20))]
    assert len(set(draws)) == 20
    assert set(draws).isdisjoint(told[0] for _, told in content(taken(evolve(loader, stage="3s"), 20)))


def test_held_out_samples_never_come() -> None:
    assert max(numbers(taken(evolve(LOADER, samples=5), 20))) == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_a_bad_sample_is_passed_over_where_that_is_asked_for(workers: int) -> None:
    wrong = {1: "bad", 4: "shape", 6: "nan"}
    loader = evolve(LOADER, source=Numbers(7, wrong), shuffle=False, skips_bad=True, batch=7, workers=workers)
    (batch,) = taken(loader, 1)
    assert batch.tensors["number"].flatten().tolist() == [0, 2, 2, 3, 5, 5, 0]
    assert batch.skipped == (
        "numbers:1: it is torn",
        "numbers:4: number is [2], and the model takes [1]",
        "numbers:6: number has numbers that are not finite",
    )


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("bad", "numbers:2: it is torn"),
        ("fails", "numbers:2: ZeroDivisionError: by zero"),
        ("lacks", "numbers:2: it has no drawn"),
    ],
)
def test_a_bad_sample_ends_the_run_otherwise(workers: int, how: str, told: str) -> None:
    loader = evolve(LOADER, source=Numbers(7, {2: how}), shuffle=False, workers=workers)
    batches = iter(loader)
    assert content([next(batches)])[0][0] == [0, 1]
    with pytest.raises(RunError) as error:
        next(batches)
    assert (error.value.kind, str(error.value)) == ("bad_sample", told)


def test_where_no_sample_can_be_used_there_is_an_error() -> None:
    loader = evolve(LOADER, source=Numbers(3, dict.fromkeys(range(3), "bad")), samples=3, skips_bad=True, shuffle=False)
    with pytest.raises(RunError, match=r"none of 3 samples can be used; the last one: numbers:2: it is torn"):
        next(iter(loader))


def test_other_processes_read_the_same() -> None:
    loader = evolve(LOADER, ranks=2, rank=1, first=3)
    assert content(taken(evolve(loader, workers=2), 9)) == content(taken(loader, 9))


def test_a_process_that_is_killed_is_told_in_a_line() -> None:
    loader = evolve(LOADER, source=Numbers(7, {4: "kill"}), shuffle=False, workers=2)
    with pytest.raises(RunError, match="a process that reads samples was ended from outside") as error:
        taken(loader, 10)
    assert error.value.kind == "error"
    assert "\n" not in str(error.value)


LOCAL = """
import torch

class Ones:
    def __len__(self):
        return 3

    def name(self, index):
        return f"one:{index}"

    def sample(self, index, chance):
        return {"number": torch.ones(1), "drawn": torch.zeros(1)}
"""


@pytest.mark.parametrize("file", ["lone_local_source.py", "local_source_package/__init__.py"])
def test_other_processes_read_a_local_plugins_samples(file: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(LOCAL)
    module = load_local(path if path.parent == tmp_path else path.parent)
    loader = evolve(LOADER, source=module.Ones(), samples=3, workers=1)
    assert numbers(taken(loader, 2)) == [1, 1, 1, 1]
