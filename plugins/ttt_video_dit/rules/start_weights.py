"""TTD812."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

KEY, ADAPTER, RESUME = "checkpoint.init_state_dir", "training.adapter_method", "checkpoint.resume"


class StartWeights(JobRule):
    """What: a job of ttt-video-dit that needs trained weights does not say where they are.

    Why: with qkvo most of the model stays as it is, so it has to come from the stage before; and sampling needs a model that was trained.
    The public jobs of the later stages leave the key out: their weights are yet to be named.

    Example: `adapter_method = "qkvo"` without `init_state_dir`.

    Instead: `init_state_dir`, the checkpoint of the stage before; or `resume = true`, where the run goes on.

    Fix: none; where the weights are, a person knows.
    """

    code = "TTD812"
    name = "start-weights"
    severity = "info"
    reads = (KEY, ADAPTER, RESUME)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding where the key would stand."""
        if job.names(KEY) or job.checkpoint.resume or not (job.samples or job.training.adapter_method == "qkvo"):
            return
        why = "sampling needs a trained model" if job.samples else "with qkvo the rest of the model stays as it was"
        yield job.finding(
            self,
            f"the job does not say which weights it starts from: {why}",
            key=KEY,
            help=f'write {job.key(KEY)} = "...", the folder of a checkpoint',
            related={ADAPTER: "q, k, v, o and the sequence layer are trained"} if not job.samples else {},
        )
