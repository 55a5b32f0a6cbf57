"""TTD510."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.weighing import Weighed
from tttdit.core.wording import spoken_bytes, written

GIB = 1 << 30
HEADROOM = 0.25  # of the node's memory; less is a warning


class HostMemory(Rule):
    """What: a node has less main memory than the ranks on it need together, or hardly more.

    Why: Linux ends a process for which there is no main memory with SIGKILL: the run is gone without a word, least of all a CUDA error, and
    most often while a checkpoint is being saved. An asynchronous checkpoint first copies all that the node's ranks hold, float32
    parameters and both moments of AdamW, 12 bytes for each trained parameter. What a run needs besides is not known to the last byte (the
    CUDA libraries' own memory is assumed), and the kernel wants room for files: under 25 % headroom is a warning.

    Example: full fine-tuning of 7.2 G parameters on 2 GPUs of a node with 80 GiB, with `checkpoint.asynchronous = true`: the copy alone has
    80.8 GiB.

    Instead: `checkpoint.asynchronous = false`, which copies tensor by tensor; fewer workers in `[data]`; more nodes with fewer ranks each.

    Fix: unsafe. It writes `checkpoint.asynchronous = false`, where that is what takes the room: training then waits for checkpoints.
    """

    code = "TTD510"
    name = "host-memory"
    about_machine = True

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        """The sum of all holders against what the node has, where the spec says that."""
        stage = weighed.stage
        if stage.hardware.host_memory_gib is None:
            return
        there = int(stage.hardware.host_memory_gib * GIB)
        holders = weighed.prediction.host_bytes
        needed = sum(holders.values())
        if needed <= there * (1 - HEADROOM):
            return
        by_size = sorted(holders.items(), key=lambda holder: -holder[1])
        listed = ", ".join(f"{name} {spoken_bytes(nbytes)}" for name, nbytes in by_size if nbytes)
        left = "more than there is" if needed > there else f"{1 - needed / there:.0%} headroom, less than 25 %"
        largest = by_size[0][0]
        copies = largest == "checkpoint" and stage.checkpoint.asynchronous
        yield self.finding(
            f"a node's ranks need {spoken_bytes(needed)} of its {spoken_bytes(there)} main memory, {left}: {listed}",
            key="hardware.host_memory_gib",
            help="write checkpoint.asynchronous = false: a checkpoint is then copied tensor by tensor"
            if copies
            else "spread the ranks over more nodes, or have fewer workers in [data]",
            related=written(stage, {"checkpoint.asynchronous": "all that the ranks save is copied"} if copies else {}),
            fix=Fix("unsafe", (Edit("checkpoint.asynchronous", False),)) if copies else None,
            severity="error" if needed > there else "warning",
        )
