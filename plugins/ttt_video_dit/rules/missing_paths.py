"""TTD816."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

OF_TRAINING = ("training.dataset_path", "training.jsonl_paths")
OF_SAMPLING = ("eval.input_file", "eval.output_dir", "eval.vae_checkpoint_path", "eval.t5_model_dir")


class MissingPaths(JobRule):
    """What: a job of ttt-video-dit leaves out where its data, its texts, its encoders or its results are.

    Why: these paths have no default that would be anybody's. Where the job is a pattern to be completed, nothing is wrong.

    Example: `[eval]` without `vae_checkpoint_path`.

    Instead: name them before the job runs.

    Fix: none; where things are, a person knows.
    """

    code = "TTD816"
    name = "missing-paths"
    severity = "info"

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding for all of them, where the first would stand."""
        missing = [key for key in (OF_SAMPLING if job.samples else OF_TRAINING) if not job.names(key)]
        if not missing:
            return
        named = [job.key(key) for key in missing]
        listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
        yield job.finding(
            self,
            f"the job does not state {listed}",
            key=missing[0],
            help=f"name {'them' if len(named) > 1 else 'it'} before the job runs",
        )
