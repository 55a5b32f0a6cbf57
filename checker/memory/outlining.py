"""Outlines of the structures that a sweep comes across: few, each recorded once, on all cores.

A structure is what decides the order in which a step allocates and lets go: which regions are recomputed, and whether layers come in groups
of one, of two, of more, or not at all. How many groups there are and how large everything is follows by arithmetic
(`tttdit.core.symbolic.outline`).
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager

from attrs import evolve, frozen

from tttdit.checker.memory.cache import Cache
from tttdit.checker.memory.predicting import with_memory
from tttdit.core.stage import Stage
from tttdit.core.symbolic.atlas import Atlas
from tttdit.core.symbolic.atlas_text import atlas_of, text_of
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.symbolic.outline import outline
from tttdit.core.symbolic.periods import Rows, grouping, in_groups
from tttdit.core.symbolic.sharding import Sharding
from tttdit.core.symbolic.stepping import Manner, record_step, sized
from tttdit.core.symbolic.trace import WORLD

# Rows of layers from whose record all longer ones follow. In five there are two in the middle that can be compared, with a neighbour on
# each side; six it takes where FSDP2 gathers the next layer ahead. In four groups there are two that can be compared, and three
# do where groups of one layer have been seen to do the same; two such groups follow from three. In a group of up to three layers one lies
# next to both ends, as in no longer one.
LAYERS, LAYERS_SHARDED, GROUPS, GROUPS_OF_MANY, NEAR_BOTH_ENDS = 5, 6, 4, 3, 3
SHARDS = "shards"  # the stage's dimension
FEW = 4  # structures that are sooner recorded here than given to other processes


@frozen
class Structure:
    """Values of `[memory]` that decide the order of things, by key, and the rows of layers to record."""

    values: tuple[tuple[str, bool | int | str], ...]
    rows: Rows

    @property
    def name(self) -> str:
        """What it is called in an atlas."""
        values = " ".join(f"{key}={int(value)}" for key, value in self.values)
        return f"{self.rows.groups} x {self.rows.size}: {values}"


def structure_of(stage: Stage, values: Mapping[str, bool | int | str], rows: Rows, manner: Manner) -> Structure:
    """The structure of a setting in which the layers lie in these rows."""
    few, group = rows_to_record(rows, manner), grouping(stage)
    decisive = {key: value for key, value in values.items() if key not in sized(stage)}
    if group is not None:
        decisive[group] = few.size if decisive[group] else 0
    return Structure(tuple(decisive.items()), few)


def stage_values(stage: Stage) -> dict[str, Number]:
    """The values of a stage's dimensions, as far as they have some."""
    values = {symbol: stage.dims.exact(symbol) for symbol in stage.dims}
    return {symbol: value for symbol, value in values.items() if value is not None}


def group_size(stage: Stage, key: str, value: int) -> int:
    """How many an operator's groups hold where `[memory]` says this for a key of `sized`: what the strategy makes of it."""
    (region,) = (region for region in stage.memory.declared if region.key == key)
    strategy = stage.assembly.memory.strategy(with_memory(stage, {key: value}).memory)
    return int(strategy.group_size(key, stage.dims[region.count]))


def rows_to_record(rows: Rows, manner: Manner) -> Rows:
    """The fewest rows from whose record these follow."""
    layers = LAYERS if manner.sharding is None else LAYERS_SHARDED
    if rows.groups == 1:
        return Rows(1, min(rows.size, layers))
    if rows.size <= NEAR_BOTH_ENDS:
        return Rows(min(rows.groups, GROUPS if rows.size == 1 else GROUPS_OF_MANY), rows.size)
    # others follow from longer rows too, if the model has so many layers
    if GROUPS_OF_MANY * layers <= rows.layers:
        return Rows(GROUPS_OF_MANY, layers)
    return Rows(min(rows.groups, GROUPS_OF_MANY), min(rows.size, layers))


class Outlines:
    """The atlas of a stage's structures, which the user's cache keeps: what is in there is not recorded again, unless all is to be made
    `anew`.
    """

    def __init__(self, stage: Stage, manner: Manner, *, anew: bool = False) -> None:
        self._stage, self._manner = stage, manner
        self._cache, self._key = Cache(stage), _key(stage, manner)
        WORLD.load(stage.assembly.model.module)  # whose custom operators the text speaks of
        if stage.assembly.mixer.module is not None:
            WORLD.load(stage.assembly.mixer.module)
        kept = None if anew else self._kept()
        self.atlas = kept if kept is not None else Atlas.empty()
        self._is_anew = anew

    def record(self, structures: Sequence[Structure]) -> Iterator[Structure]:
        """Records what is not there; gives each structure as it is ready, those from whose rows no longer ones follow without an outline.

        Raises what the modules raise.
        """
        missing = [structure for structure in structures if structure.name not in self.atlas]
        for structure in structures:
            if structure.name in self.atlas:
                yield structure
        try:
            for structure, found in _recorded(self._stage, missing, self._manner):
                self.atlas.join(found)
                yield structure
        finally:
            if missing:
                self._keep()

    def _kept(self) -> Atlas | None:
        text = self._cache.read("outlines", self._key)
        try:
            return atlas_of(text) if text is not None else None
        except (KeyError, TypeError, ValueError):  # no text of ours
            return None

    def _keep(self) -> None:
        """Keeps them, with what other processes have kept meanwhile."""
        kept = None if self._is_anew else self._kept()
        if kept is not None:
            self.atlas.join(kept)
        self._cache.write("outlines", self._key, text_of(self.atlas))


def _key(stage: Stage, manner: Manner) -> str:
    """What decides all outlines: all that is no size, and which sizes are 1, for those are left out of layouts."""
    sizes = {key for symbol in stage.dims for key in stage.dims.describe(symbol).keys}
    tables = {
        f"{name}.{field}": value
        for name, table in (("model", stage.model), ("model.mixer", stage.mixer))
        for field, value in table.model_dump(exclude={"mixer"}).items()
        if f"{name}.{field}" not in sizes and field != "preset"
    }
    ones = [symbol for symbol in stage.dims if stage.dims.exact(symbol) == 1]
    sharding = manner.sharding
    if (
        sharding is not None
    ):  # what matters is whether there are several; which sizes follow from how many, formulas know
        few = evolve(sharding, shards=min(2, sharding.shards), replicas=min(2, sharding.replicas))
        manner = evolve(manner, sharding=few)
    return f"{manner!r} {stage.assembly.of_a_step!r} {sorted(tables.items())!r} {ones!r} {_shares(stage, sharding)!r}"


def _shares(stage: Stage, sharding: Sharding | None) -> dict[str, int]:
    """Of each size what is left where tensor-parallel ranks share it out: where something is, they pad. Empty for one such rank."""
    if sharding is None or sharding.tensor == 1:
        return {}
    return {
        symbol: int(value % sharding.tensor) for symbol in stage.dims if (value := stage.dims.exact(symbol)) is not None
    }


def _for_any_size(manner: Manner) -> Manner:
    """The same with the number of shards as a symbol, and formulas that hold whether it divides things or not."""
    sharding = manner.sharding
    if sharding is None:
        return manner
    shards = Dim(sharding.shards, Formula.symbol(SHARDS)) if sharding.shards > 1 else 1
    return evolve(manner, sharding=evolve(sharding, shards=shards, for_any_size=True))


def _recorded(stage: Stage, structures: Sequence[Structure], manner: Manner) -> Iterator[tuple[Structure, Atlas]]:
    """Atlases of one structure each, recorded on all cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    can_fork = "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1
    if len(structures) <= FEW or cores == 1 or not can_fork:
        for structure in structures:
            yield structure, _outlined(stage, structure, manner)
        return
    with _given((stage, manner, structures)), ProcessPoolExecutor(cores, multiprocessing.get_context("fork")) as pool:
        waiting = {pool.submit(_of_number, number): number for number in range(len(structures))}
        for done in as_completed(waiting):
            yield structures[waiting[done]], atlas_of(done.result())


# What other processes are born with: stages hold functions, which cannot be sent to them.
_GIVEN: list[tuple[Stage, Manner, Sequence[Structure]]] = []


@contextmanager
def _given(work: tuple[Stage, Manner, Sequence[Structure]]) -> Iterator[None]:
    _GIVEN.append(work)
    try:
        yield
    finally:
        _GIVEN.pop()


def _of_number(number: int) -> str:
    stage, manner, structures = _GIVEN[-1]
    return text_of(_outlined(stage, structures[number], manner))


def _outlined(stage: Stage, structure: Structure, manner: Manner) -> Atlas:
    """The atlas of one structure; without it where those in the middle of its rows did not do the same, or other sizes do not follow."""
    found = Atlas.empty()
    chosen = in_groups(with_memory(stage, {**dict(structure.values), **_uneven(stage)}), structure.rows)
    tape = record_step(chosen, evolve(_for_any_size(manner), layers=structure.rows.layers))
    if tape.layers:
        made = outline(tape, structure.rows)
        if made.is_steady() and made.holds_for_any_size:
            found.add(structure.name, made)
    return found


def _uneven(stage: Stage) -> dict[str, int]:
    """Sizes for the keys of `sized` that leave a rest of what they group, where there is one: formulas have a rounded quotient then."""
    chosen = {}
    for region in stage.memory.declared:
        if region.key in sized(stage) and region.count in stage.dims:
            count = int(stage.dims[region.count])
            chosen[region.key] = next((size for size in range(2, count) if count % size), 1)
    return chosen
