"""Plans, as `tttdit plan` shows them: for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tttdit.checker.memory.settings import Outlook
from tttdit.checker.planned import Planned
from tttdit.checker.planning import Plan
from tttdit.checker.render.memory import share, size_headings, switched_on
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import table, visible
from tttdit.checker.report import FORMAT, FileReport
from tttdit.checker.searching import Remedy, Variant
from tttdit.core.spec import writing
from tttdit.core.wording import plural, spoken_bytes, spoken_flops


def render(every: Iterable[Planned], path: str, paint: Paint) -> Iterator[str]:
    """What was found for each stage."""
    for one in every:
        yield f"{paint(visible(path), 'strong')}, stage {paint(visible(one.stage), 'strong')}: {_verdict(one, paint)}"
        if one.meshes is not None:
            yield from _meshes(one.meshes)
        if one.batch is not None:
            yield from _batch(*one.batch)
        if one.variant is not None and one.variant.plan is not None:
            yield from _values(one.variant.values)
            yield from _plan(one.variant.plan, ())
        elif one.plan is not None:
            yield from _plan(one.plan, one.remedies)
        yield ""


def _verdict(one: Planned, paint: Paint) -> str:
    if one.unpredicted:
        return f"memory cannot be predicted: {visible(one.unpredicted)}"
    best = one.best
    if best is None or best.chosen is None:
        return paint("nothing fits", "error") + (
            f" {spoken_bytes(one.plan.budget_bytes)}" if one.plan is not None else ""
        )
    needed, budget = best.survey.needed(best.chosen), best.budget_bytes
    return (
        f"{paint('fits', 'good')}, {spoken_bytes(needed)} of {spoken_bytes(budget)}; recomputes {share(best.chosen)} of the step "
        f"({spoken_flops(best.chosen.recompute_flops)})"
    )


def _plan(plan: Plan, remedies: tuple[Remedy, ...]) -> Iterator[str]:
    survey, chosen = plan.survey, plan.chosen
    yield "  [memory]" + ("  # as the spec has it" if plan.is_own else "")
    for key, value in (chosen or plan.closest).setting.values.items():
        yield f"  {visible(key)} = {writing.value(value)}"
    searched = f"{plan.searched:,} {plural(plan.searched, 'setting')}"
    if chosen is None:
        needed = spoken_bytes(survey.needed(plan.closest))
        yield f"  closest: of {searched} this needs the fewest bytes, {needed}: {spoken_bytes(plan.lacking_bytes)} too many"
    else:
        of_those = f"{plan.fitting:,} {'fits' if plan.fitting == 1 else 'fit'}, and none of these"
        if survey.searched > len(survey.outlooks):
            of_those = "with mixtures of two ways to treat a layer, none that fits"
        left_out = (
            f"; {plan.wasteful:,} that recompute less are left out for what the allocator's blocks waste"
            if plan.wasteful
            else ""
        )
        yield f"  proof: of {searched} {of_those} recomputes less{left_out}"
    if plan.runners_up:
        yield "  runners-up:"
        yield from _outlooks(plan, plan.runners_up)
    if plan.larger is not None:
        yield f"  from {spoken_bytes(survey.needed(plan.larger))} on: recomputes {share(plan.larger)}{_change(plan.larger, chosen)}"
    if plan.smaller is not None and chosen is not None:
        yield (
            f"  below {spoken_bytes(survey.needed(chosen))}: recomputes {share(plan.smaller)}, "
            f"needs {spoken_bytes(survey.needed(plan.smaller))}{_change(plan.smaller, chosen)}"
        )
    for remedy in remedies:
        verdict = "fits" if remedy.fits else "does not fit either"
        yield f"  with {', '.join(_assignments(remedy.values))}: {spoken_bytes(remedy.needed_bytes)}, {verdict}"


def _change(outlook: Outlook, chosen: Outlook | None) -> str:
    """What is different in another setting."""
    if chosen is None:
        return ""
    before = chosen.setting.values
    changed = {key: value for key, value in outlook.setting.values.items() if before[key] != value}
    return f", with {', '.join(_assignments(changed))}"


def _assignments(values: Mapping[str, object]) -> list[str]:
    return [f"{visible(key)} = {writing.value(value)}" for key, value in values.items()]


def _outlooks(plan: Plan, outlooks: Iterable[Outlook]) -> Iterator[str]:
    sizes = size_headings(plan.survey.stage)
    rows = [("needed", "recomputed", *sizes.values(), "switches")]
    for outlook in outlooks:
        values = outlook.setting.values
        needed = spoken_bytes(plan.survey.needed(outlook))
        switches = ", ".join(switched_on(outlook.setting, plan.survey.stage)) or "-"
        rows.append((needed, share(outlook), *(f"{values[key]}" for key in sizes), switches))
    yield from table(rows, right=frozenset(range(len(sizes) + 2)), indent="    ")


def _values(values: Mapping[str, int]) -> Iterator[str]:
    for line in _assignments(values):
        yield f"  {line}"


def _meshes(meshes: tuple[Variant, ...]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("replicas", "shards", "tp", "samples", "needed", "recomputed", "sent", "")]
    for one in meshes:
        mesh = [f"{one.values[key]:,}" for key in one.values if key.startswith("parallelism.")]
        best, plan = one.chosen, one.plan
        if plan is None:
            rows.append((*mesh, "", "", "", "", one.refused.partition("\n")[0]))
        elif best is None:
            rows.append(
                (*mesh, f"{one.samples:,}", spoken_bytes(plan.survey.needed(plan.closest)), "", "", "does not fit")
            )
        else:
            needed = spoken_bytes(plan.survey.needed(best))
            rows.append((*mesh, f"{one.samples:,}", needed, share(best), spoken_bytes(one.sent_bytes), ""))
    yield from table(rows, right=frozenset(range(7)))


def _batch(fits: Variant | None, too_large: Variant) -> Iterator[str]:
    if fits is not None:
        yield f"  the largest batch of a rank: {fits.samples:,} {plural(fits.samples, 'sample')} at a time"
    if too_large.plan is None:
        why = visible(too_large.refused.partition("\n")[0])
    else:
        why = f"needs {spoken_bytes(too_large.plan.survey.needed(too_large.plan.closest))} at least"
    yield f"  {', '.join(_assignments(too_large.values))}: {why}"


def as_json(every: Iterable[Planned], path: str, report: FileReport) -> str:
    """The same as JSON."""
    content = {
        "version": FORMAT,
        "file": path,
        "findings": report.as_dict()["findings"],
        "stages": [{"name": one.stage, "fits": one.best is not None, **_planned(one)} for one in every],
    }
    return json.dumps(content, indent=2)


def _planned(one: Planned) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if one.unpredicted:
        content["unpredicted"] = one.unpredicted
    if one.plan is not None:
        content |= _plan_dict(one.plan)
        content["remedies"] = [
            {"values": dict(remedy.values), "needed_bytes": remedy.needed_bytes, "fits": remedy.fits}
            for remedy in one.remedies
        ]
    if one.meshes is not None:
        content["meshes"] = [_variant(variant) for variant in one.meshes]
    if one.batch is not None:
        fits, too_large = one.batch
        content["batch"] = {"largest": _variant(fits) if fits is not None else None, "next": _variant(too_large)}
    return content


def _variant(variant: Variant) -> dict[str, Any]:
    if variant.plan is None:
        return {"values": dict(variant.values), "refused": variant.refused}
    return {
        "values": dict(variant.values),
        "samples": variant.samples,
        "sent_bytes": variant.sent_bytes if variant.chosen is not None else None,
        **_plan_dict(variant.plan),
    }


def _plan_dict(plan: Plan) -> dict[str, Any]:
    return {
        "budget_bytes": plan.budget_bytes,
        "outside_bytes": plan.survey.prediction.outside_bytes,
        "searched": plan.searched,
        "fitting": plan.fitting,
        "wasteful": plan.wasteful,
        "chosen": _outlook(plan, plan.chosen),
        "is_own": plan.is_own,
        "runners_up": [_outlook(plan, outlook) for outlook in plan.runners_up],
        "smaller": _outlook(plan, plan.smaller),
        "larger": _outlook(plan, plan.larger),
        "closest": _outlook(plan, plan.closest),
        "lacking_bytes": plan.lacking_bytes,
    }


def _outlook(plan: Plan, outlook: Outlook | None) -> dict[str, Any] | None:
    if outlook is None:
        return None
    return {
        "flags": dict(outlook.setting.values),
        "needed_bytes": plan.survey.needed(outlook),
        "total_bytes": outlook.total_bytes,
        "reserved_bytes": outlook.reserved_bytes,
        "peak_bytes": outlook.peak_bytes,
        "saved_bytes": outlook.saved_bytes,
        "recompute_flops": outlook.recompute_flops,
        "flops": outlook.flops,
        "recompute_share": outlook.recompute_share,
    }
