"""TTD805."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

ADAPTER, RANKS = "training.adapter_method", "parallelism.tp_sharding"


class TensorParallelAdapter(JobRule):
    """What: a job of ttt-video-dit has tensor parallelism and the adapter sft (everything is trained).

    Why: that code asserts that tensor parallelism and sft do not come together.

    Example: `adapter_method = "sft"` with `tp_sharding = 2`.

    Instead: `tp_sharding = 1`, or the adapter qkvo.

    Fix: unsafe. One rank a sample needs more memory a rank.
    """

    code = "TTD805"
    name = "tensor-parallel-adapter"
    reads = (ADAPTER, RANKS)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the mesh."""
        ranks = job.parallelism.tp_sharding
        if job.training.adapter_method != "sft" or ranks == 1:
            return
        yield job.finding(
            self,
            f"{ranks:,} ranks of tensor parallelism with sft: ttt-video-dit refuses the two together",
            key=RANKS,
            help=f'write {job.key(RANKS)} = 1, or {job.key(ADAPTER)} = "qkvo"',
            related={ADAPTER: "everything is trained"},
            fix=Fix("unsafe", (Edit(job.key(RANKS), 1),)),
        )
