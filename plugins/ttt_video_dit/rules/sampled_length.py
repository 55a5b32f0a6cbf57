"""TTD808."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.wording import either
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule
from tttdit.plugins.ttt_video_dit.sizes import latent_frames, segments
from tttdit.plugins.ttt_video_dit.tables import VideoLength

FRAMES, LENGTH = "eval.sampling_num_frames", "model.video_length"


class SampledLength(JobRule):
    """What: a sampling job of ttt-video-dit samples another number of latent frames than its model's videos have.

    Why: `model.video_length` says how many frames the model's videos have, `eval.sampling_num_frames` how many are drawn: 13, 37, 73, 121
    or 253 latent frames for 3, 9, 18, 30 or 63 seconds. Attention windows take 12 frames and share one, so other numbers leave frames that
    no window covers, which become NaN.

    Example: `video_length = "9sec"` and no `sampling_num_frames`, whose default is 13.

    Instead: `sampling_num_frames = 37` at 9 seconds.

    Fix: unsafe. It is another video.
    """

    code = "TTD808"
    name = "sampled-length"
    reads = (FRAMES, LENGTH)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the frames, or where they should be."""
        if not job.samples:
            return
        frames, length = job.eval.sampling_num_frames, job.model.video_length
        said = f"{job.key(FRAMES)} is {'' if job.states(FRAMES) else 'not stated, and so '}{frames:,}"
        if length is None:
            if segments(frames) is None:
                yield self._no_segments(job, said, frames)
            return
        right = latent_frames(length)
        if frames == right:
            return
        help = f"write {job.key(FRAMES)} = {right}"
        others = [other for other in typing.get_args(VideoLength) if latent_frames(other) == frames]
        help += "".join(f', or {job.key(LENGTH)} = "{other}"' for other in others if job.states(FRAMES))
        yield job.finding(
            self,
            f'{said}: videos of "{length}" have {right} latent frames',
            key=FRAMES,
            help=help,
            related={LENGTH: f"{right} latent frames"},
            fix=Fix("unsafe", (Edit(job.key(FRAMES), right),)),
        )

    def _no_segments(self, job: Job, said: str, frames: int) -> Finding:
        """Where the model's length is not stated: frames that no number of segments has."""
        lengths = [latent_frames(length) for length in typing.get_args(VideoLength)]
        return job.finding(
            self,
            f"{said}, which is not 12 * S + 1: frames that no attention window covers become NaN",
            key=FRAMES,
            help=f"write {job.key(FRAMES)} = {either(lengths)}",
        )
