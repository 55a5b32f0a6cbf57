"""Other lengths for a video that does not make whole latent frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from tttdit.core.findings import Edit, Fix
from tttdit.core.laws import Law, Whole, nearest
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Number
from tttdit.core.wording import either, writable


@frozen
class Lengths:
    """The keys that say how long the video is, by what they say, and the values that would be right."""

    key: str  # the first of them
    help: str  # what to write; "" where nothing is known
    fix: Fix | None

    @classmethod
    def of(cls, stage: Stage, laws: Sequence[Law]) -> Lengths:
        """The nearest lengths with which `laws` hold, and all others too where that can be."""
        by_seconds = stage.video.pixel_frames is None
        levers = {"video.seconds": "seconds", "video.fps": "fps"} if by_seconds else {"video.pixel_frames": "N"}
        choices = _choices(stage, levers, laws)
        said = ", or ".join(f"{key} = {either(values)}" for key, values in choices.items())
        return cls(next(iter(levers)), f"write {said}" if said else "", _fix(stage, levers, choices))


def _choices(stage: Stage, levers: Mapping[str, str], mine: Sequence[Law]) -> dict[str, list[Number]]:
    """Values by key: those that all laws allow or, where no key has any, those that `mine` do; fractions if need be."""
    for laws in ([*mine, *stage.every_law()], mine):
        for whole in (True, False):
            found = {key: _near(stage, symbol, laws, whole) for key, symbol in levers.items()}
            if any(found.values()):
                return {key: values for key, values in found.items() if values}
    return {}


def _near(stage: Stage, symbol: str, laws: Iterable[Law], whole: bool) -> list[Number]:
    found = stage.solve(symbol, [*laws, *([Whole(stage.dims.symbol(symbol))] if whole else [])])
    return found.nearby(stage.dims.exact(symbol) or 1) if found is not None else []


def _fix(stage: Stage, levers: Mapping[str, str], choices: Mapping[str, list[Number]]) -> Fix | None:
    """The nearest value of the first key that has one."""
    for key, values in choices.items():
        (value,) = nearest(values, stage.dims.exact(levers[key]) or 1, 1)
        return Fix("unsafe", (Edit(key, writable(value)),))
    return None
