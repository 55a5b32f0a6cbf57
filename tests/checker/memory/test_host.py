"""Main memory of a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.memory.host import (
    COPIED_AHEAD,
    IMPORTED_TORCH,
    RANK_PROCESS,
    host_bytes,
    page_cache_bytes,
    pinned,
    ranks_on_node,
)
from tttdit.core.stage import Stage
from tttdit.core.symbolic.tape import Standing, StandingKind

MIB, GIB = 1 << 20, 1 << 30
Stages = Callable[..., Stage]


def stands(name: str, kind: StandingKind, numbers: int) -> Standing:
    return Standing(name, kind, (numbers,), "float32", 4 * numbers)


def a_rank(numbers: int) -> list[Standing]:
    """A rank with so many trained parameters, and a batch of 3 MiB and 1 MiB."""
    return [
        stands("weight", "parameter", numbers),
        stands("table", "buffer", 1000),
        stands("video", "input", 3 * MIB // 4),
        stands("text", "input", MIB // 4),
        stands("noise", "input", 3 * MIB // 4),
        stands("weight.exp_avg", "optimizer", numbers),
        stands("weight.exp_avg_sq", "optimizer", numbers),
    ]


MESH = "[parallelism]\ndp_sharding = 2\n[hardware]\ngpus_per_node = 2\n"
ASYNCHRONOUS = "[checkpoint]\nasynchronous = true\n"


def test_every_holder_of_a_node_with_two_ranks(nine_seconds: Stages) -> None:
    assert host_bytes(nine_seconds(added=MESH), a_rank(10 * MIB)) == {
        "processes": IMPORTED_TORCH + 2 * RANK_PROCESS,
        "data workers": 0,
        "batches": 2 * 5 * MIB,  # 3 MiB are pinned as 4
        "checkpoint": 2 * (COPIED_AHEAD + 40 * MIB),
    }


def test_an_asynchronous_checkpoint_is_a_copy_of_all_that_ranks_save(nine_seconds: Stages) -> None:
    held = host_bytes(nine_seconds(added=MESH + ASYNCHRONOUS), a_rank(10 * MIB))
    assert held["checkpoint"] == 2 * 3 * 40 * MIB


def test_a_bucket_is_no_more_than_there_is(nine_seconds: Stages) -> None:
    assert host_bytes(nine_seconds(added=MESH), a_rank(10))["checkpoint"] == 2 * 3 * 40


def test_reading_processes_and_what_they_are_forked_from_are_torch_and_hold_two_batches_each(
    nine_seconds: Stages,
) -> None:
    data = '[data]\nplugin = "precomputed"\nmanifest = "clips.jsonl"\nworkers = 4\n'
    held = host_bytes(nine_seconds(added=MESH + data), a_rank(10))
    assert held["data workers"] == 2 * (4 + 1) * IMPORTED_TORCH
    assert held["batches"] == 2 * (2 * 4 + 1) * 5 * MIB


@pytest.mark.parametrize(
    ("added", "ranks"),
    [
        ("", 1),
        ("[parallelism]\ndp_sharding = 8\n", None),
        ("[parallelism]\ndp_sharding = 8\n[hardware]\ngpus_per_node = 4\n", 4),
        ("[parallelism]\ndp_sharding = 2\n[hardware]\ngpus_per_node = 8\n", 2),
        ("[parallelism]\ndp_sharding = 8\n[hardware]\nnodes = 2\n", 4),
    ],
)
def test_ranks_of_a_node(nine_seconds: Stages, added: str, ranks: int | None) -> None:
    stage = nine_seconds(added=added)
    assert ranks_on_node(stage) == ranks
    assert bool(host_bytes(stage, a_rank(1))) == (ranks is not None)


def test_of_replicas_one_writes(nine_seconds: Stages) -> None:
    mesh = "[parallelism]\ndp_replicate = 4\ndp_sharding = 2\n[hardware]\ngpus_per_node = 8\n"
    assert page_cache_bytes(nine_seconds(added=mesh), a_rank(10)) == 2 * 3 * 40


@given(st.integers(1, 1 << 40))
def test_pinned_memory_is_the_next_power_of_two(nbytes: int) -> None:
    assert pinned(nbytes).bit_count() == 1
    assert nbytes <= pinned(nbytes) < 2 * nbytes


def test_full_fine_tuning_on_two_gpus_leaves_little_of_120_gb(nine_seconds: Stages) -> None:
    """A known silent kill: 7,230,178,848 parameters, two GPUs, 120 GB of main memory."""
    rank = half(7_230_178_848)
    held = host_bytes(nine_seconds(added=MESH + ASYNCHRONOUS), rank)
    assert round(held["checkpoint"] / GIB, 1) == 80.8
    assert 0.75 * 120e9 < sum(held.values()) < 120e9
    # what is written stands in the page cache beside it until it is on disk: together more than there is
    assert sum(held.values()) + page_cache_bytes(nine_seconds(added=MESH), rank) > 120e9
    assert sum(host_bytes(nine_seconds(added=MESH), rank).values()) < 0.15 * 120e9


def half(parameters: int) -> Sequence[Standing]:
    """One of two ranks, in tensors of 16 Mi numbers."""
    size = 1 << 24
    tensors = [size] * (parameters // 2 // size) + [parameters // 2 % size]
    kinds: list[StandingKind] = ["parameter", "optimizer", "optimizer"]
    return [stands(f"{number}.{kind}", kind, each) for number, each in enumerate(tensors) for kind in kinds]
