"""TTD714."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage


class ShorterStage(Rule):
    """What: a stage of a curriculum has shorter videos than the stage before it.

    Why: curricula go from short videos, which are cheap and teach the picture, to long ones, which teach what happens in it. The other way
    round the long ones come first, when the model can do least, and the last thing that it learns is a length that nobody wants.

    Example: a stage of 9 seconds after one of 18.

    Instead: the stages in order of their length.

    Fix: none; which of the stages was meant to come first, a person knows.
    """

    code = "TTD714"
    name = "shorter-stage"
    severity = "warning"

    def follow(self, before: Stage, stage: Stage) -> Iterator[Finding]:
        """One finding at the length, in whichever way the spec states it."""
        frames, frames_before = stage.dims.exact("N"), before.dims.exact("N")
        if frames is None or frames_before is None or frames >= frames_before:
            return
        yield self.finding(
            f"after {float(frames_before):,.6g} pixel frames in the stage before the videos of this one have {float(frames):,.6g}: "
            "curricula go from short to long",
            key="video.seconds" if stage.video.pixel_frames is None else "video.pixel_frames",
            help="put the stages in the order of their lengths",
        )
