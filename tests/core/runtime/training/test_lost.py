"""Which rank is gone, on processes that really go: gloo's messages are provoked, not made up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
import torch.distributed as distributed

from tttdit.core.runtime.training.pulse import INTERVAL, Pulse, counts

# Both ranks do something together; then one is gone, and the other finds out.
RANK = """
import os, sys, time
import torch, torch.distributed as distributed
from tttdit.core.runtime.training import lost
from tttdit.core.runtime.training.world import joined, world_of

lost.ANSWER_WITHIN = 3.0
how, who, operation = sys.argv[1], int(sys.argv[2]), sys.argv[3]
world = world_of(os.environ, "cpu")
mine, both = torch.ones(1000), torch.empty(1000 * world.size)
together = {
    "all_reduce": lambda: distributed.all_reduce(mine),
    "all_gather_into_tensor": lambda: distributed.all_gather_into_tensor(both, mine),
}[operation]
with joined(world, timeout_seconds=4) as groups:
    together()
    if world.rank == who:
        print(os.getpid(), flush=True)
        time.sleep(120) if how == "stop" else os._exit(0)
    try:
        together()
    except Exception as error:
        print(lost.lost_rank(error, world, groups, 4), flush=True)
        os._exit(0)
"""


def ranks(count: int, *arguments: str) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": str(count)}
    return [
        subprocess.Popen(
            [sys.executable, "-c", RANK, *arguments],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for rank in range(count)
    ]


@pytest.mark.parametrize("operation", ["all_reduce", "all_gather_into_tensor"])
def test_a_rank_that_has_ended_is_named_with_the_collective(operation: str) -> None:
    first, second = ranks(2, "end", "1", operation)
    said, _ = first.communicate(timeout=60)
    second.wait(60)
    assert said.startswith(f"rank 1 did not answer in {operation} (parallelism.timeout_seconds = 4)"), said


def test_a_rank_that_was_stopped_is_named_when_time_is_over() -> None:
    first, second = ranks(2, "stop", "1", "all_reduce")
    assert second.stdout is not None
    second.stdout.readline()
    second.send_signal(signal.SIGSTOP)
    try:
        said, _ = first.communicate(timeout=60)
    finally:
        second.kill()
        second.communicate()
    assert said.startswith("rank 1 did not answer in all_reduce"), said


def test_a_rank_that_still_waits_for_another_one_is_not_blamed() -> None:
    """Of four, rank 1 hears of the end of rank 3 from others only."""
    every = ranks(4, "end", "3", "all_reduce")
    said, _ = every[0].communicate(timeout=60)
    for each in every[1:]:
        each.communicate(timeout=60)
    assert said.startswith("rank 3 did not answer in all_reduce"), said


def test_a_pulse_goes_on_while_it_is_entered() -> None:
    store = distributed.HashStore()
    store.set_timeout(timedelta(seconds=5))
    with Pulse(store, 0) as pulse:
        assert counts(store, [0, 1]) == {0: 0, 1: 0}
        pulse._over.wait(2.5 * INTERVAL)
        during = counts(store, [0, 1])
    assert during[0] >= 1
    assert during[1] == 0
