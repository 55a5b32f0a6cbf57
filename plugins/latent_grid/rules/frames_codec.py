"""TTD101."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.laws import Divisible
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import spoken, worked, written
from tttdit.plugins.latent_grid.lengths import Lengths


class FramesCodec(Rule):
    """What: the video's frames do not make whole latent frames.

    Why: the codec keeps the first frame for itself and makes one latent frame of every 4 that follow
    (`codec.time_compression`). N pixel frames need N - 1 to be a multiple of it.

    Example: 9 seconds at 15 frames a second are 136 pixel frames; 135 is no multiple of 4.

    Instead: 145 frames (9 seconds at 16 frames a second), or another length that the help names.

    Fix: unsafe. A video of another length is another run.
    """

    code = "TTD101"
    name = "frames-codec"
    spoils = ("F",)

    def laws(self, stage: Stage) -> list[Divisible]:
        """N - 1 is a multiple of the compression."""
        return [Divisible(stage.dims.symbol("N") - 1, Formula.number(stage.codec.time_compression))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the video's length."""
        dims, time = stage.dims, stage.codec.time_compression
        frames = dims.exact("N")
        if frames is None or (frames - 1) % time == 0:
            return
        lengths = Lengths.of(stage, self.laws(stage))
        yield self.finding(
            f"{worked('N = fps*seconds + 1' if 'fps' in dims else 'N', dims)} pixel frames do not make whole latent frames: "
            f"after the first, {spoken(frames - 1)} is no multiple of {time}",
            key=lengths.key,
            help=lengths.help,
            related=written(
                stage,
                {
                    **({"video.fps": f"{stage.video.fps:,} frames a second"} if "fps" in dims else {}),
                    "codec.time_compression": f"{time} frames in a latent frame",
                },
            ),
            fix=lengths.fix,
        )
