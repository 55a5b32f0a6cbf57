"""TTD802."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

DTYPE = "bfloat16"


class FusedDtype(JobRule):
    """What: a job of ttt-video-dit has TTT-MLP in another type than bfloat16.

    Why: its fused TTT-MLP kernel asserts bfloat16. The type is `parallelism.fsdp_unsharded_dtype` in training and `eval.dtype` in sampling.

    Example: `fsdp_unsharded_dtype = "float32"` beside `ssm_layer = "ttt_mlp"`.

    Instead: `"bfloat16"`.

    Fix: unsafe. It is another run.
    """

    code = "TTD802"
    name = "fused-dtype"
    reads = ("model.ssm_layer", "parallelism.fsdp_unsharded_dtype", "eval.dtype")

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the type that the model computes in."""
        key, dtype = (
            ("eval.dtype", job.eval.dtype)
            if job.samples
            else ("parallelism.fsdp_unsharded_dtype", job.parallelism.fsdp_unsharded_dtype)
        )
        if job.model.ssm_layer != "ttt_mlp" or dtype == DTYPE:
            return
        yield job.finding(
            self,
            f"{dtype} with ttt_mlp: its fused kernel asserts {DTYPE}",
            key=key,
            help=f'write {job.key(key)} = "{DTYPE}"',
            related={"model.ssm_layer": "the layer with the fused kernel"},
            fix=Fix("unsafe", (Edit(job.key(key), DTYPE),)),
        )
