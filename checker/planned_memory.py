"""The keys of `[memory]` that a planned strategy leaves open: found like any plan, whenever a stage is resolved."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from tttdit.checker.following import follow
from tttdit.checker.memory.predicting import with_memory
from tttdit.checker.memory.settings import own_setting
from tttdit.checker.memory.surveying import search_space, survey
from tttdit.checker.memory.weighing import DEVICE, RUNTIME
from tttdit.checker.planning import Plan, plan
from tttdit.checker.report import Chosen
from tttdit.checker.rules.no_plan import NoPlan
from tttdit.core.errors import Unpredicted
from tttdit.core.findings import Finding, Related
from tttdit.core.stage import Stage
from tttdit.core.wording import plural, spoken_bytes

_KEY = "memory.plugin"


@frozen
class PlannedMemory:
    """The table with the values that were found, why these, or why there are none: then the table is the stage's own."""

    table: Any
    chosen: tuple[Chosen, ...] = ()
    findings: tuple[Finding, ...] = ()


def planned_memory(stage: Stage) -> PlannedMemory:
    """The plan for a stage whose other values are all there; keys that the spec states stay.

    Where the model cannot be followed, that is what has to be said, and the checker says it: nothing is said here. For a stage that is
    for sampling only nothing is recomputed.
    """
    if stage.only_samples:
        return PlannedMemory(stage.memory)
    try:
        made = survey(stage, search_space(stage), device=DEVICE, runtime=RUNTIME)
    except Unpredicted as why:
        return PlannedMemory(stage.memory, findings=() if follow(stage, []).findings else (_unpredicted(stage, why),))
    if made.budget_bytes is None:
        return PlannedMemory(stage.memory, findings=(_no_budget(stage),))
    best = plan(made)
    if best.chosen is None:
        return PlannedMemory(stage.memory, findings=(_nothing_fits(stage, best),))
    reason = _reason(best)
    values = {key: value for key, value in best.chosen.setting.values.items() if not stage.wrote(f"memory.{key}")}
    chosen = tuple(Chosen(f"memory.{key}", value, reason) for key, value in values.items())
    return PlannedMemory(with_memory(stage, values).memory, chosen)


def _reason(best: Plan) -> str:
    chosen = best.chosen
    assert chosen is not None, "there is one"
    fitting = f"{best.fitting:,} of {best.searched:,} {plural(best.searched, 'setting')}"
    return (
        f"of the {fitting} that fit {spoken_bytes(best.budget_bytes)} the one that recomputes least: {chosen.recompute_share:.1%} of "
        f"the step; it needs {spoken_bytes(best.survey.needed(chosen))}"
    )


def _named(stage: Stage) -> str:
    return f'plugin = "{stage.assembly.memory.name}"'


def _no_budget(stage: Stage) -> Finding:
    return NoPlan().finding(
        f"{_named(stage)} looks for what fits the GPU, and the spec names none",
        key=_KEY,
        help='write hardware.gpu, such as "H100-80GB", or hardware.gpu_memory_gib',
    )


def _nothing_fits(stage: Stage, best: Plan) -> Finding:
    needed = best.survey.needed(best.closest)
    hardware = next(key for key in ("hardware.gpu_memory_gib", "hardware.gpu", "hardware") if stage.wrote(key))
    related = [Related(f"{spoken_bytes(best.budget_bytes)} in a GPU", hardware)]
    related += [
        Related("this narrows the search", f"memory.{key}")
        for key in own_setting(stage).values
        if stage.wrote(f"memory.{key}")
    ]
    return NoPlan().finding(
        f"{_named(stage)} finds nothing that fits: of {best.searched:,} {plural(best.searched, 'setting')} the one with the fewest bytes "
        f"needs {spoken_bytes(needed)}, {spoken_bytes(best.lacking_bytes)} too many",
        key=_KEY,
        help="tttdit plan says what would help besides: another mesh, or a smaller batch",
        related=related,
    )


def _unpredicted(stage: Stage, why: Unpredicted) -> Finding:
    return NoPlan().finding(
        f"{_named(stage)} cannot say what fits, for {why}",
        key=_KEY,
        help="leave memory.plugin out, and write the keys of [memory] yourself",
    )
