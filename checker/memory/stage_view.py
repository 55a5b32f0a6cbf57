"""A stage as a page or a snapshot shows it: its step, and the spec's lines behind its bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypeAlias

from attrs import field, frozen

from tttdit.checker.memory.abbreviating import Abbreviations
from tttdit.checker.memory.explaining import Tensors, at_hand
from tttdit.checker.memory.predicting import standing_bytes, tape_of
from tttdit.checker.memory.prediction import Prediction, Runtime
from tttdit.checker.memory.surveying import Survey
from tttdit.checker.resolving import Resolved
from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.kinds import Region
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tape import Tape

# For a key, the one that states the value in force (itself, or a preset) and the line that it stands on; None where nobody wrote it.
Places: TypeAlias = Callable[[str], "tuple[str, int] | None"]


@frozen(kw_only=True, slots=False)
class StageView:
    """A stage, its step, and all settings where these were looked at. The tape and the prediction are of the same step."""

    stage: Stage
    tape: Tape = field(converter=at_hand, repr=False)
    prediction: Prediction
    survey: Survey | None
    places: Places

    @cached_property
    def standing(self) -> Mapping[str, int]:
        """The bytes that are there before the step, by what they are for; the names are those of `Prediction.parts`."""
        return {str(name): count for name, count in standing_bytes(self.tape).items()}

    @property
    def drawn_bytes(self) -> int:
        """The most tensors' bytes that live in the step: what stands before it, and what it allocates."""
        return sum(self.standing.values()) + self.tape.high[self.tape.highest_at]

    @property
    def dims(self) -> Dimensions:
        """The stage's dimensions."""
        return self.stage.dims

    @cached_property
    def known(self) -> Abbreviations:
        """The derived symbols that formulas are written with."""
        return Abbreviations(self.stage)

    def lines_behind(self, tensors: Tensors) -> tuple[tuple[str, int], ...]:
        """The spec's keys that the bytes of these depend on, with their lines, from the top: sizes, and the switch of their region."""
        region = self._region_key(tensors.region)
        return self._written([*self.known.keys_of(tensors.formula), *([region] if region else [])])

    def line_of(self, symbol: str) -> tuple[tuple[str, int], ...]:
        """The spec's keys that a symbol comes from, with their lines."""
        return self._written(self.known.keys_of(Formula.symbol(symbol)))

    def _written(self, keys: list[str] | tuple[str, ...]) -> tuple[tuple[str, int], ...]:
        found = {place for key in keys if (place := self.places(key)) is not None}
        return tuple(sorted(found, key=lambda place: (place[1], place[0])))

    def _region_key(self, region: str) -> str:
        """The key of `[memory]` that governs a region, `layers.0.attention`; "" outside of all."""
        declared: tuple[Region, ...] = getattr(self.stage.memory, "declared", ())
        name = region.rpartition(".")[2]
        return next((f"memory.{each.key}" for each in declared if name and name in (each.key, each.group)), "")


def view_of(resolved: Resolved, survey: Survey, *, device: str, runtime: Runtime) -> StageView:
    """The view of a stage whose settings have been surveyed. Raises what recording its step raises."""
    stage = survey.stage
    tape = tape_of(stage, device=device, dtype=stage.parallelism.unsharded_dtype, runtime=runtime, lines=True)
    return StageView(
        stage=stage, tape=tape, prediction=survey.prediction, survey=survey, places=resolved.locator.line_of
    )
