"""TTD813."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

STEP, RESUME = "checkpoint.resume_step", "checkpoint.resume"


class ResumeStep(JobRule):
    """What: a job of ttt-video-dit names a step to resume from, and does not resume.

    Why: `resume` is false unless the job says otherwise, so the run starts from the beginning.

    Example: `resume_step = 500` without `resume = true`.

    Instead: `resume = true`, or no `resume_step`.

    Fix: unsafe. A run that goes on is another run.
    """

    code = "TTD813"
    name = "resume-step"
    severity = "warning"
    reads = (STEP, RESUME)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the step."""
        step = job.checkpoint.resume_step
        if step < 0 or job.checkpoint.resume:
            return
        yield job.finding(
            self,
            f"{job.key(STEP)} = {step:,}, and {job.key(RESUME)} is {'' if job.states(RESUME) else 'not stated, and so '}false: "
            "the run does not go on from there",
            key=STEP,
            help=f"write {job.key(RESUME)} = true, or leave {job.key(STEP)} out",
            related={RESUME: "the run starts anew"},
            fix=Fix("unsafe", (Edit(job.key(RESUME), True),)),
        )
