"""TTD801."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

MINI_BATCH = 64
KEY = "model.mini_batch_size"


class FusedMiniBatch(JobRule):
    """What: a job of ttt-video-dit has TTT-MLP with another mini-batch than 64.

    Why: its fused TTT-MLP kernel has mini-batches of 64 (and heads of width 64, which both of its model sizes have) built in. The learning
    rates of the inner loop depend on the mini-batch too: with 16 they are 4 times what training with 64 had.

    Example: `mini_batch_size = 16` beside `ssm_layer = "ttt_mlp"`, as in its own sampling jobs.

    Instead: `mini_batch_size = 64`, with texts of a length that makes whole mini-batches of 64.

    Fix: unsafe. It is another run.
    """

    code = "TTD801"
    name = "fused-mini-batch"
    reads = ("model.ssm_layer", KEY)
    speaks_for = ("TTD201", "TTD204", "TTD811")  # which follow from the mini-batch

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the mini-batch."""
        size = job.model.mini_batch_size
        if job.model.ssm_layer != "ttt_mlp" or size == MINI_BATCH:
            return
        rates = f"; the checkpoints were trained with {MINI_BATCH}" if job.samples else ""
        yield job.finding(
            self,
            f"mini-batches of {size:,} with ttt_mlp: its fused kernel has {MINI_BATCH} built in{rates}",
            key=KEY,
            help=f"write {job.key(KEY)} = {MINI_BATCH}",
            related={"model.ssm_layer": "the layer with the fused kernel"},
            fix=Fix("unsafe", (Edit(job.key(KEY), MINI_BATCH),)),
        )
