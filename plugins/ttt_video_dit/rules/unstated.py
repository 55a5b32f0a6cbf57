"""TTD817."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

NEEDED = {"model.size": '"5B"', "model.ssm_layer": '"ttt_mlp"', "model.video_length": '"9sec"'}


class Unstated(JobRule):
    """What: a job of ttt-video-dit leaves out which model it has, or how long its videos are.

    Why: that code has defaults for these keys, which are not known here and are hardly what was meant. Without them sizes, lengths and
    memory cannot be checked, and the job cannot be converted. (A sampling job's length may also follow from `eval.sampling_num_frames`.)

    Example: `[model]` without `video_length`.

    Instead: write the key.

    Fix: none; what is meant, a person knows.
    """

    code = "TTD817"
    name = "unstated"
    severity = "warning"

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding for each key."""
        for key, example in NEEDED.items():
            if job.states(key) or (key == "model.video_length" and job.samples):
                continue
            yield job.finding(
                self,
                f"{job.key(key)} is not stated: the job's sizes cannot be checked",
                key=key,
                help=f"write it, as in {job.key(key)} = {example}",
            )
