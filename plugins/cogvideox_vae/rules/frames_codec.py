"""TTD101."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, Law, Whole, nearest
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.wording import either, spoken, worked, writable, written


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
        by_seconds = stage.video.pixel_frames is None
        levers = {"video.seconds": "seconds", "video.fps": "fps"} if by_seconds else {"video.pixel_frames": "N"}
        choices = _choices(stage, levers, self.laws(stage))
        yield self.finding(
            f"{worked('N = fps*seconds + 1' if 'fps' in dims else 'N', dims)} pixel frames do not make whole latent frames: "
            f"after the first, {spoken(frames - 1)} is no multiple of {time}",
            key=next(iter(levers)),
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
            fix=_fix(stage, levers, choices),
        )


def _choices(stage: Stage, levers: dict[str, str], mine: list[Divisible]) -> dict[str, list[Number]]:
    """Values by key: those that all laws allow or, where no key has any, those that the codec allows; fractions if need be."""
    for laws in (stage.every_law(), mine):
        for whole in (True, False):
            found = {key: _near(stage, symbol, laws, whole) for key, symbol in levers.items()}
            if any(found.values()):
                return {key: values for key, values in found.items() if values}
    return {}


def _near(stage: Stage, symbol: str, laws: Iterable[Law], whole: bool) -> list[Number]:
    found = stage.solve(symbol, [*laws, *([Whole(stage.dims.symbol(symbol))] if whole else [])])
    return found.nearby(stage.dims.exact(symbol) or 1) if found is not None else []


def _fix(stage: Stage, levers: dict[str, str], choices: dict[str, list[Number]]) -> Fix | None:
    """The nearest value of the first key that has one."""
    for key, values in choices.items():
        (value,) = nearest(values, stage.dims.exact(levers[key]) or 1, 1)
        return Fix("unsafe", (Edit(key, writable(value)),))
    return None
