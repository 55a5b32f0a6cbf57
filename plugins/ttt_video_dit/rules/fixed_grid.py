"""TTD803."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule
from tttdit.plugins.ttt_video_dit.sizes import GRID_HEIGHT, GRID_WIDTH, HEIGHT, WIDTH

SIZES = {"eval.image_height": HEIGHT, "eval.image_width": WIDTH}


class FixedGrid(JobRule):
    """What: a job of ttt-video-dit samples pictures of another size than 480 x 720.

    Why: its models are built for a token grid of 30 x 45, whatever `[eval]` says of the picture. Nothing is said there when the two do not
    fit; positions and tokens just do not belong together.

    Example: `image_width = 1280`.

    Instead: `image_height = 480` and `image_width = 720`, which are the defaults. A spec of tttdit takes other sizes.

    Fix: unsafe. It is another video.
    """

    code = "TTD803"
    name = "fixed-grid"
    reads = tuple(SIZES)
    speaks_for = ("TTD102", "TTD103", "TTD201")  # which follow from the picture

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the first size that is another."""
        found = {"eval.image_height": job.eval.image_height, "eval.image_width": job.eval.image_width}
        wrong = [key for key, size in SIZES.items() if found[key] != size]
        if not wrong:
            return
        key, *others = wrong
        edits = tuple(Edit(job.key(other), SIZES[other]) for other in wrong)
        yield job.finding(
            self,
            f"a picture of {found['eval.image_height']:,} x {found['eval.image_width']:,} pixels: "
            f"the token grid is fixed at {GRID_HEIGHT} x {GRID_WIDTH} in ttt-video-dit, which is {HEIGHT} x {WIDTH} pixels",
            key=key,
            help="write " + " and ".join(f"{edit.key} = {edit.value}" for edit in edits),
            related=dict.fromkeys(others, "and this"),
            fix=Fix("unsafe", edits),
        )
