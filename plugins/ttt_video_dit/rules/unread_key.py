"""TTD815."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding, Fix, Removal
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

# What counts in their place, where anything does.
UNREAD = {"eval.scale_factor": None, "guider.num_steps": "eval.num_denoising_steps"}


class UnreadKey(JobRule):
    """What: a key of a job of ttt-video-dit that its code knows, and does not use.

    Why: who writes it expects something of it. The number of steps is `eval.num_denoising_steps`, whatever `guider.num_steps` says.

    Example: `[guider] num_steps = 100`.

    Instead: leave it out.

    Fix: safe. Nothing reads it.
    """

    code = "TTD815"
    name = "unread-key"
    severity = "info"

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding for each such key."""
        for key, other in UNREAD.items():
            if job.states(key) and key not in job.doubtful:
                yield job.finding(
                    self,
                    f"{job.key(key)} has no effect: nothing in ttt-video-dit reads it"
                    + (f", {job.key(other)} counts" if other else ""),
                    key=key,
                    help=f"leave {job.key(key)} out",
                    related={other: "this counts"} if other else {},
                    fix=Fix("safe", (Removal(job.key(key)),)),
                )
