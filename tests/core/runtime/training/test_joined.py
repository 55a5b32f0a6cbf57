"""Ranks that leave their process group one after the other."""

import os
import socket
import subprocess
import sys

from tttdit.core.runtime.training.pulse import INTERVAL

# The first rank, which keeps the store, is done at once; the other one's pulse still counts in it.
RANK = """
import os, sys, time
from tttdit.core.runtime.training.world import joined, world_of

world = world_of(os.environ, "cpu")
with joined(world, timeout_seconds=30):
    time.sleep(world.rank * float(sys.argv[1]))
"""


def test_the_last_to_leave_has_nothing_to_complain_of() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, str(3 * INTERVAL)],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    assert [each.communicate(timeout=60)[0] for each in both] == ["", ""]
    assert [each.returncode for each in both] == [0, 0]
