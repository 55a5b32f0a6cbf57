"""TTD809."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule
from tttdit.plugins.ttt_video_dit.sizes import NOISE_LEVELS

KEY = "eval.num_denoising_steps"


class DenoisingSteps(JobRule):
    """What: a sampling job of ttt-video-dit wants 1,000 denoising steps, or more.

    Why: there are 1,000 noise levels, and with as many steps that code ends in a NameError.

    Example: `num_denoising_steps = 1000`.

    Instead: fewer than 1,000; the default is 50.

    Fix: none; how many are wanted, a person knows.
    """

    code = "TTD809"
    name = "denoising-steps"
    reads = (KEY,)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the steps."""
        steps = job.eval.num_denoising_steps
        if steps < NOISE_LEVELS:
            return
        yield job.finding(
            self,
            f"{steps:,} denoising steps: ttt-video-dit ends in a NameError at {NOISE_LEVELS:,}, for it has as many noise levels",
            key=KEY,
            help=f"write {job.key(KEY)} = 50, its default, or any number below {NOISE_LEVELS:,}",
        )
