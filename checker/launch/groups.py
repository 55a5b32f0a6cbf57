"""Stages that follow each other on the same number of ranks: what one launch can train."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from attrs import frozen

from tttdit.core.errors import UsageError
from tttdit.core.stage import Stage
from tttdit.core.wording import plural


@frozen
class Shape:
    """So many nodes with so many ranks each, a GPU for each of them."""

    nodes: int
    per_node: int

    @property
    def ranks(self) -> int:
        """All of them."""
        return self.nodes * self.per_node

    def __str__(self) -> str:
        if self.nodes == 1:
            return f"1 node with {self.per_node:,} {plural(self.per_node, 'rank')}"
        return f"{self.nodes:,} nodes with {self.per_node:,} {plural(self.per_node, 'rank')} each"


@frozen
class Group:
    """Stages that follow each other, and where they are trained."""

    stages: tuple[Stage, ...]
    shape: Shape

    @property
    def names(self) -> str:
        """`3s, 9s`."""
        return ", ".join(each.name for each in self.stages)


def ranks_of(stage: Stage) -> int:
    """How many ranks a stage's mesh has."""
    mesh = stage.parallelism
    return mesh.dp_replicate * mesh.dp_sharding * mesh.tp_sharding


def groups_of(stages: Sequence[Stage], gpus_per_node: int | None = None) -> list[Group]:
    """The groups of a curriculum in their order. `gpus_per_node` counts more than what `[hardware]` says.

    Raises UsageError where ranks cannot be spread evenly over nodes.
    """
    found = []
    for ranks, members in groupby(stages, ranks_of):
        shape = shape_of(stages, ranks, gpus_per_node)
        group = Group(tuple(members), shape)
        if shape.ranks != ranks:
            raise UsageError(
                f"{group.names}: {ranks:,} ranks cannot be spread evenly over nodes with {shape.per_node:,} GPUs: change "
                "[parallelism], or say how many GPUs of a node are to be used with --gpus-per-node"
            )
        found.append(group)
    return found


def shape_of(stages: Iterable[Stage], ranks: int, gpus_per_node: int | None = None) -> Shape:
    """The nodes that so many ranks take: with the GPUs that the first `[hardware]` that says so has, on one node where none does."""
    said = gpus_per_node or next((each.hardware.gpus_per_node for each in stages if each.hardware.gpus_per_node), ranks)
    per_node = min(said, ranks)
    return Shape(-(-ranks // per_node), per_node)
