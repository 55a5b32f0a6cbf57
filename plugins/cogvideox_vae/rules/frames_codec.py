"""TTD101."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from tttdit.core.dimensions import Dimensions
from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, nearest, solve
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import either, spoken, worked, written

# How many values to either side of the present one are tried.
_REACH = 64


class FramesCodec(Rule):
    """What: the video's frames do not make whole latent frames.

    Why: the video VAE keeps the first frame for itself and makes one latent frame of every 4 that follow
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
        if stage.video.pixel_frames is None:
            levers = [_Lever("video.seconds", "seconds", 1), _Lever("video.fps", "fps", 1)]
        else:
            levers = [_Lever("video.pixel_frames", "N", time)]
        choices = self._choices(stage, levers)
        yield self.finding(
            f"{worked('N = fps*seconds + 1' if 'fps' in dims else 'N', dims)} pixel frames do not make whole latent frames: "
            f"after the first, {spoken(frames - 1)} is no multiple of {time}",
            key=levers[0].key,
            help="write " + ", or ".join(f"{key} = {either(values)}" for key, values in choices.items())
            if choices
            else "",
            related=written(
                stage,
                {
                    **({"video.fps": f"{stage.video.fps:,} frames a second"} if "fps" in dims else {}),
                    "codec.time_compression": f"{time} frames in a latent frame",
                },
            ),
            fix=_fix(levers, choices, dims),
        )

    def _choices(self, stage: Stage, levers: list[_Lever]) -> dict[str, list[int]]:
        """Values by key: those that all laws allow or, where no key has any, those that the codec allows."""
        every = {lever.key: stage.solve(lever.symbol, lever.around(stage.dims)) for lever in levers}
        if not any(every.values()):
            laws, dims = self.laws(stage), stage.dims
            every = {lever.key: solve(dims, laws, lever.symbol, lever.around(dims)) for lever in levers}
        return {lever.key: nearest(every[lever.key], lever.now(stage.dims), 2) for lever in levers if every[lever.key]}


@frozen
class _Lever:
    """A key that moves the video's length: its symbol, and the step in which it is worth trying."""

    key: str
    symbol: str
    step: int

    def now(self, dims: Dimensions) -> int:
        """The present value, rounded: seconds may be a fraction."""
        return round(dims.exact(self.symbol) or 1)

    def around(self, dims: Dimensions) -> range:
        """Values next to the present one, all of them one more than a multiple of the step."""
        first = max(1, self.now(dims) - _REACH * self.step)
        return range(first + (1 - first) % self.step, self.now(dims) + _REACH * self.step + 1, self.step)


def _fix(levers: list[_Lever], choices: dict[str, list[int]], dims: Dimensions) -> Fix | None:
    """The nearest value of the first key that has one."""
    for lever in levers:
        if lever.key in choices:
            return Fix("unsafe", (Edit(lever.key, nearest(choices[lever.key], lever.now(dims), 1)[0]),))
    return None
