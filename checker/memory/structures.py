"""Structures: what decides the order in which a step allocates and lets go.

That is which regions are recomputed, and whether layers come in groups of one, of two, of more, or not at all. How many groups there are
and how large everything is follows by arithmetic (`tttdit.core.symbolic.outline`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from attrs import evolve, frozen

from tttdit.checker.memory.predicting import with_memory
from tttdit.core.stage import Stage
from tttdit.core.symbolic.periods import Rows, grouping
from tttdit.core.symbolic.stepping import Manner, sized

# Values of `[memory]`, by key.
Values: TypeAlias = tuple[tuple[str, bool | int | str], ...]

# Rows of layers from whose record all longer ones follow. In five there are two in the middle that can be compared, with a neighbour on
# each side; six it takes where FSDP2 gathers the next layer ahead. In four groups there are two that can be compared, and three
# do where groups of one layer have been seen to do the same; two such groups follow from three. In a group of up to three layers one lies
# next to both ends, as in no longer one.
LAYERS, LAYERS_SHARDED, GROUPS, GROUPS_OF_MANY, NEAR_BOTH_ENDS = 5, 6, 4, 3, 3


@frozen
class Form:
    """How layers lie: what `[memory]` says of their groups, where the model has some, and the rows to record.

    With options of the runtime that are no regions (inputs that tensor-parallel ranks share out) the second layer and, in a replay, the
    last but one do things of their own.
    """

    groups: Values
    rows: Rows
    has_options: bool = False

    @property
    def short(self) -> Form:
        """The shortest rows in which, as far as anybody has seen, each layer of these has one that does the same.

        A first layer, one in the middle, a last one; a first group and a last one. Groups of three have no layer that groups of four have
        not; and a last group of three has all that can be the last.
        """
        if not any(size for _, size in self.groups):
            return evolve(self, rows=Rows(1, 4 if self.has_options else 3))
        if self.rows.size == 1:
            return evolve(self, rows=Rows(3, 1))
        many = Rows(1, 6, 3) if self.has_options else Rows(1, 4, 3)
        rows = Rows(2, 2) if self.rows.size == 2 else many
        return evolve(self, groups=tuple((key, rows.size) for key, _ in self.groups), rows=rows)


@frozen
class Structure:
    """Values of `[memory]` that decide the order of things, but for those of groups, and the layers' form."""

    switches: Values
    form: Form

    @property
    def values(self) -> dict[str, bool | int | str]:
        """All values of `[memory]` that decide, by key."""
        return dict(self.switches + self.form.groups)

    @property
    def name(self) -> str:
        """What it is called in an atlas."""
        rows = self.form.rows
        values = " ".join(f"{key}={int(value)}" for key, value in self.values.items())
        return f"{rows.groups} x {rows.size}{f' and {rows.rest}' if rows.rest else ''}: {values}"


def structure_of(stage: Stage, values: Mapping[str, bool | int | str], rows: Rows, manner: Manner) -> Structure:
    """The structure of a setting in which the layers lie in these rows."""
    few, group = rows_to_record(rows, manner), grouping(stage)
    switches = {key: value for key, value in values.items() if key not in sized(stage) and key != group}
    groups = () if group is None else ((group, few.size if values[group] else 0),)
    options = (region.key for region in stage.memory.declared if region.kind == "switch" and not region.is_region)
    has_options = any(getattr(stage.memory, option) for option in options)
    return Structure(tuple(switches.items()), Form(groups, few, has_options))


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


def group_size(stage: Stage, key: str, value: int) -> int:
    """How many an operator's groups hold where `[memory]` says this for a key of `sized`: what the strategy makes of it."""
    (region,) = (region for region in stage.memory.declared if region.key == key)
    strategy = stage.assembly.memory.strategy(with_memory(stage, {key: value}).memory)
    return int(strategy.group_size(key, stage.dims[region.count]))
