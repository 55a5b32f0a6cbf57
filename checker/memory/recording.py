"""Structures recorded, on all cores: each becomes an outline."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from attrs import evolve, field, frozen

from tttdit.checker.memory.predicting import with_memory
from tttdit.checker.memory.structures import Structure
from tttdit.core.stage import Stage
from tttdit.core.symbolic.dimension import Dim, Results, remembering
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.outline import Outline, outline
from tttdit.core.symbolic.periods import in_groups
from tttdit.core.symbolic.stepping import Manner, record_step, sized

SHARDS = "shards"  # the stage's dimension
FEW = 4  # structures that are sooner recorded here than given to other processes


def recorded(
    stage: Stage, structures: Sequence[Structure], manner: Manner
) -> Iterator[tuple[Structure, Outline | None]]:
    """Outlines, as they are ready; None where those in the middle of a structure's rows did not do the same, or other
    sizes do not follow.

    Raises what the modules raise.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    can_fork = hasattr(os, "fork") and threading.active_count() == 1
    work = _Work(stage, structures, _for_any_size(manner))
    if len(structures) <= FEW or cores == 1 or not can_fork:
        for number, structure in enumerate(structures):
            yield structure, work.outlined(number)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    with _given(work), ProcessPoolExecutor(cores, multiprocessing.get_context("fork")) as pool:
        waiting = {pool.submit(_of_number, number): number for number in range(len(structures))}
        for done in as_completed(waiting):
            yield structures[waiting[done]], done.result()


@frozen
class _Work:
    stage: Stage
    structures: Sequence[Structure]
    manner: Manner
    arithmetic: Results = field(factory=dict)

    def outlined(self, number: int) -> Outline | None:
        """The outline of one structure."""
        structure = self.structures[number]
        rows = structure.form.rows
        chosen = in_groups(with_memory(self.stage, {**structure.values, **_uneven(self.stage)}), rows)
        with remembering(self.arithmetic):
            tape = record_step(chosen, evolve(self.manner, layers=rows.layers))
            found = outline(tape, rows) if tape.layers else None
        return found if found is not None and found.is_steady() and found.holds_for_any_size else None


# What other processes are born with: stages hold functions, which cannot be sent to them.
_GIVEN: list[_Work] = []


@contextmanager
def _given(work: _Work) -> Iterator[None]:
    _GIVEN.append(work)
    try:
        yield
    finally:
        _GIVEN.pop()


def _of_number(number: int) -> Outline | None:
    return _GIVEN[-1].outlined(number)


def _for_any_size(manner: Manner) -> Manner:
    """The same with the number of shards as a symbol, and formulas that hold whether it divides things or not."""
    sharding = manner.sharding
    if sharding is None:
        return manner
    shards = Dim(sharding.shards, Formula.symbol(SHARDS)) if sharding.shards > 1 else 1
    return evolve(manner, sharding=evolve(sharding, shards=shards, for_any_size=True))


def _uneven(stage: Stage) -> dict[str, int]:
    """Sizes for the keys of `sized` that leave a rest of what they group, where there is one: formulas have a rounded quotient then."""
    chosen = {}
    for region in stage.memory.declared:
        if region.key in sized(stage) and region.count in stage.dims:
            count = int(stage.dims[region.count])
            chosen[region.key] = next((size for size in range(2, count) if count % size), 1)
    return chosen
