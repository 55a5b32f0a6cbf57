"""TTD810."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule
from tttdit.plugins.ttt_video_dit.sizes import LATENT_CHANNELS

KEY = "eval.latent_channels"


class LatentChannels(JobRule):
    """What: a sampling job of ttt-video-dit draws latents of another number of channels than 16.

    Why: its models take and give 16 channels, as the video VAE has them.

    Example: `latent_channels = 4`.

    Instead: `latent_channels = 16`, or no such key.

    Fix: safe. Nothing else runs.
    """

    code = "TTD810"
    name = "latent-channels"
    reads = (KEY,)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the channels."""
        channels = job.eval.latent_channels
        if channels == LATENT_CHANNELS:
            return
        yield job.finding(
            self,
            f"latents of {channels:,} channels: the models of ttt-video-dit have {LATENT_CHANNELS}",
            key=KEY,
            help=f"write {job.key(KEY)} = {LATENT_CHANNELS}",
            fix=Fix("safe", (Edit(job.key(KEY), LATENT_CHANNELS),)),
        )
