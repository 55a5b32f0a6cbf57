"""The line that starts a command on the ranks of a launch, by torchrun."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tttdit.checker.launch.groups import Shape

PORT = 29500  # torchrun's own default (torch/distributed/run.py, --master-port)


def torchrun_line(command: Sequence[str], shape: Shape, *, restarts: int = 0) -> str:
    """The command itself for one rank that is not restarted, by torchrun otherwise; on several nodes it is given on each of them."""
    plain = shlex.join(command)
    if shape.ranks == 1 and not restarts:
        return plain
    words = ["torchrun"]
    if shape.nodes == 1:
        words.append("--standalone")  # a port that is free
    else:
        words.append(f"--nnodes {shape.nodes} --rdzv-backend c10d --rdzv-endpoint $MASTER_ADDR:{PORT}")
    words.append(f"--nproc-per-node {shape.per_node}")
    if restarts:
        words.append(f"--max-restarts {restarts}")
    return " ".join([*words, "--no-python", plain])
