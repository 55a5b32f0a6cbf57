"""All settings of a stage with what they need, and what there is to fit into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from attrs import evolve, frozen

from tttdit.checker.memory.front import front
from tttdit.checker.memory.prediction import Prediction, Runtime
from tttdit.checker.memory.settings import Outlook, Setting, own_setting, settings
from tttdit.core.errors import TttditError, Unpredicted, Unresolved
from tttdit.core.plugin.references import one_line
from tttdit.core.stage import Stage


@frozen(kw_only=True, slots=False)
class Survey:
    """The outlooks of a stage: in every setting of the space that was searched, and first of all in its own.

    `prediction` is the whole prediction of its own setting. `budget_bytes` is what one GPU may hold, None where nobody says. `in_blocks`
    gives an outlook with what the allocator's blocks waste, which takes a prediction of its own; it raises Unpredicted where that fails.
    """

    stage: Stage
    prediction: Prediction
    own: Outlook
    outlooks: tuple[Outlook, ...]  # of the space; its own is among them where it is of that space
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
    from tttdit.checker.memory.predicting import predict, with_memory
    from tttdit.checker.memory.sweeping import sweep

    def predicted(one: Stage) -> Prediction:
        return predict(one, device=device, dtype=stage.parallelism.unsharded_dtype, runtime=runtime)

    def in_blocks(outlook: Outlook) -> Outlook:
        if outlook.reserved_bytes is not None:
            return outlook
        with unpredicted():
            reserved = predicted(with_memory(stage, outlook.setting.values)).reserved_bytes
        return evolve(outlook, reserved_bytes=reserved)

    with unpredicted():
        prediction = predicted(stage)
        own = own_setting(stage)
        asked = space if own in space else (*space, own)
        found = sweep(stage, asked, device=device, runtime=runtime, progress=progress)
    return Survey(
        stage=stage,
        prediction=prediction,
        own=next(one for one in found if one.setting == own),
        outlooks=found[: len(space)],
        budget_bytes=budget_bytes if budget_bytes is not None else prediction.budget_bytes,
        in_blocks=in_blocks,
    )


@contextmanager
def unpredicted() -> Iterator[None]:
    """What keeps a prediction from being made is an Unpredicted with the reason."""
    try:
        yield
    except Unpredicted:
        raise
    except Unresolved as hole:
        raise Unpredicted(f"{hole.symbol} has no value") from hole
    except TttditError as error:
        raise Unpredicted(str(error)) from error
    except Exception as error:  # a plugin's module is code of somebody else's
        raise Unpredicted(one_line(error)) from error
