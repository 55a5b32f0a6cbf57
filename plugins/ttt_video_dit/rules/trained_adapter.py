"""TTD804."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

KEY = "training.adapter_method"


class TrainedAdapter(JobRule):
    """What: a training job of ttt-video-dit does not say what is trained.

    Why: that code asserts that training has the adapter sft (everything) or qkvo (the attention's q, k, v, o and the sequence layer).
    Only sampling does without.

    Example: `[training]` without `adapter_method`.

    Instead: `adapter_method = "sft"` for the first stage, `"qkvo"` for those after it.

    Fix: none; which of the two is meant, a person knows.
    """

    code = "TTD804"
    name = "trained-adapter"
    reads = (KEY,)
    speaks_for = ("TTD704",)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the adapter, or where it should be."""
        if job.samples or job.training.adapter_method != "none":
            return
        yield job.finding(
            self,
            "a training job without an adapter: ttt-video-dit asserts sft or qkvo",
            key=KEY,
            help=f'write {job.key(KEY)} = "sft" to train everything, or "qkvo" for q, k, v, o and the sequence layer',
        )
