"""What `tttdit plan` answers for one stage: a plan for it as it stands, or over its mesh or its batch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal, TypeAlias

from attrs import frozen

from tttdit.checker.memory.surveying import search_space, survey
from tttdit.checker.memory.weighing import DEVICE, RUNTIME
from tttdit.checker.planning import Plan, plan
from tttdit.checker.resolving import Resolved
from tttdit.checker.searching import Remedy, Searcher, Variant
from tttdit.core.errors import Unpredicted
from tttdit.core.plugin.registry import Registry

Search: TypeAlias = Literal["mesh", "batch"]
# Draws so many steps of a stage; what it gives is told how many more are done.
Bar: TypeAlias = Callable[[int, str], AbstractContextManager[Callable[[int], object]]]


@frozen(kw_only=True)
class Planned:
    """What was asked of one stage: its plan, or what was searched for beyond `[memory]`; `unpredicted` says why there is neither.

    `meshes` are the variants in order. `batch` is the largest that fits, where one does, and the next one, which does not.
    """

    stage: str
    unpredicted: str = ""
    plan: Plan | None = None
    remedies: tuple[Remedy, ...] = ()
    meshes: tuple[Variant, ...] | None = None
    batch: tuple[Variant | None, Variant] | None = None

    @property
    def variant(self) -> Variant | None:
        """The best one, where a search has found one with a plan."""
        if self.batch is not None:
            return self.batch[0]
        return self.meshes[0] if self.meshes and self.meshes[0].chosen is not None else None

    @property
    def best(self) -> Plan | None:
        """The plan to follow, where there is one."""
        found = self.variant.plan if self.variant is not None else self.plan
        return found if found is not None and found.chosen is not None else None


def planned(
    resolved: Resolved,
    registry: Registry,
    *,
    budget_bytes: int | None,
    search: Search | None,
    gpus: int | None,
    bar: Bar,
) -> Planned:
    """The answer for a stage that is there. Raises UsageError where there is no budget."""
    stage = resolved.stage
    assert stage is not None, "a stage without errors is there"
    searcher = Searcher(
        spec=resolved.spec,
        registry=registry,
        stage=stage,
        device=DEVICE,
        runtime=RUNTIME,
        budget_bytes=budget_bytes,
    )
    if search == "mesh":
        meshes = searcher.mesh_values(gpus)
        with bar(len(meshes), stage.name) as progress:
            return Planned(stage=stage.name, meshes=searcher.meshes(meshes, progress))
    if search == "batch":
        return Planned(stage=stage.name, batch=searcher.largest_batch())
    try:
        space = search_space(stage)
        with bar(len(space), stage.name) as progress:
            made = survey(stage, space, device=DEVICE, runtime=RUNTIME, budget_bytes=budget_bytes, progress=progress)
    except Unpredicted as why:
        return Planned(stage=stage.name, unpredicted=str(why))
    best = plan(made)
    remedies = () if best.chosen is not None else searcher.remedies(best.closest, best.budget_bytes)
    return Planned(stage=stage.name, plan=best, remedies=remedies)
