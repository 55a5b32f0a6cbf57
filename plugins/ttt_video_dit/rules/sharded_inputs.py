"""TTD806."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

FLAG, RANKS = "remat.shard_transformer_inputs", "parallelism.tp_sharding"


class ShardedInputs(JobRule):
    """What: a job of ttt-video-dit shards the layers' inputs, and has no tensor parallelism.

    Why: the inputs are sharded over the ranks of tensor parallelism; that code asserts that there is more than one.

    Example: `shard_transformer_inputs = true` with `tp_sharding = 1`.

    Instead: `shard_transformer_inputs = false`, or `tp_sharding` above 1.

    Fix: safe. With one rank there is nothing to shard.
    """

    code = "TTD806"
    name = "sharded-inputs"
    reads = (FLAG, RANKS)
    speaks_for = ("TTD504",)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the flag."""
        if not job.remat.shard_transformer_inputs or job.parallelism.tp_sharding > 1:
            return
        yield job.finding(
            self,
            f"{job.key(FLAG)} = true without tensor parallelism: ttt-video-dit asserts {job.key(RANKS)} > 1",
            key=FLAG,
            help=f"write {job.key(FLAG)} = false",
            related={RANKS: "one rank a sample"},
            fix=Fix("safe", (Edit(job.key(FLAG), False),)),
        )
