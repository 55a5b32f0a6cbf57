"""All settings of a stage with what they need, and what there is to fit into."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from attrs import evolve, frozen

from tttdit.checker.memory.front import front
from tttdit.checker.memory.known import predicted, unpredicted
from tttdit.checker.memory.prediction import Prediction, Runtime
from tttdit.checker.memory.refusing import refuse
from tttdit.checker.memory.settings import Outlook, Setting, in_all_layers, outlook_of, own_setting, settings
from tttdit.core.stage import Stage


@frozen(kw_only=True, slots=False)
class Survey:
    """The outlooks of a stage: in every setting of the space that was searched, and first of all in its own.

    `prediction` is the whole prediction of its own setting. `budget_bytes` is what one GPU may hold, None where nobody says. `in_blocks`
    gives an outlook with what the allocator's blocks waste, which takes a prediction of its own; it raises Unpredicted where that fails.
    `searched` settings were looked at: of mixtures, which are put together from layers of others, only the best are among `outlooks`.
    """

    stage: Stage
    prediction: Prediction
    own: Outlook
    outlooks: tuple[Outlook, ...]  # of the space; its own is among them where it is of that space
    searched: int
    budget_bytes: int | None
    in_blocks: Callable[[Outlook], Outlook] = lambda outlook: outlook

    def needed(self, outlook: Outlook) -> int:
        """The bytes that a GPU has to hold: the allocator's, with the waste of its blocks where that is known, and those outside of it."""
        allocated = outlook.total_bytes if outlook.reserved_bytes is None else outlook.reserved_bytes
        return allocated + self.prediction.outside_bytes

    def fits(self, outlook: Outlook) -> bool | None:
        """Whether they are within the budget; None where there is none."""
        return None if self.budget_bytes is None else self.needed(outlook) <= self.budget_bytes

    @cached_property
    def front(self) -> tuple[Outlook, ...]:
        """The outlooks that no other is better than, from the fewest bytes to the least recomputation."""
        return front(self.outlooks)

    @property
    def every(self) -> tuple[Outlook, ...]:
        """The space, and its own setting where that is not of it."""
        return self.outlooks if self.own in self.outlooks else (self.own, *self.outlooks)


def search_space(stage: Stage) -> tuple[Setting, ...]:
    """The settings to look at: every one; of a planned strategy those that leave the keys alone which the spec states beside it.

    Raises Unpredicted where that depends on what has no value.
    """
    with unpredicted():
        stated = own_setting(stage).values if stage.assembly.memory.planned else {}
        return settings(stage, {key: value for key, value in stated.items() if stage.wrote(f"memory.{key}")})


def survey(
    stage: Stage,
    space: tuple[Setting, ...],
    *,
    device: str,
    runtime: Runtime,
    budget_bytes: int | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> Survey:
    """Looks at these settings, and at the stage's own; `progress` is told how many more are done.

    The budget is that of the spec's GPU where none is given. Raises Unpredicted, with the reason, where bytes cannot be said.
    """
    from tttdit.checker.memory.predicting import with_memory
    from tttdit.checker.memory.sweeping import sweep

    def in_blocks(outlook: Outlook) -> Outlook:
        if outlook.reserved_bytes is not None:
            return outlook
        whole = predicted(with_memory(stage, outlook.setting.values), device=device, runtime=runtime)
        return outlook_of(outlook.setting, whole)

    refuse(stage)
    prediction = predicted(stage, device=device, runtime=runtime)
    with unpredicted():
        own = own_setting(stage)
        alike = with_memory(stage, in_all_layers(stage))
        of_alike = prediction if alike is stage else predicted(alike, device=device, runtime=runtime)
        asked = space if own in space or alike is not stage else (*space, own)
        found = sweep(alike, asked, own=of_alike, progress=progress)
    outlooks = (*found.outlooks[: len(space)], *found.mixed.outlooks)
    of_own = next((one for one in found.outlooks if one.setting == own), _without_blocks(own, prediction))
    return Survey(
        stage=stage,
        prediction=prediction,
        own=of_own,
        outlooks=tuple(of_own if one.setting == own else one for one in outlooks),
        searched=len(space) + found.mixed.count,
        budget_bytes=budget_bytes if budget_bytes is not None else prediction.budget_bytes,
        in_blocks=in_blocks,
    )


def _without_blocks(setting: Setting, prediction: Prediction) -> Outlook:
    """The outlook of a setting that has been predicted, as a sweep would give it."""
    needed, budget = prediction.total_bytes + prediction.outside_bytes, prediction.budget_bytes
    return evolve(
        outlook_of(setting, prediction), reserved_bytes=None, fits=None if budget is None else needed <= budget
    )
