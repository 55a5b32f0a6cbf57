"""The settings of `[memory]` with what they need, as `tttdit memory` shows them: for people, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias

from attrs import frozen

from tttdit.checker.memory.front import front
from tttdit.checker.memory.settings import Outlook, Setting, regions_of
from tttdit.checker.memory.surveying import Survey
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import table, visible
from tttdit.checker.report import FORMAT, FileReport
from tttdit.core.stage import Stage
from tttdit.core.wording import plural, spoken_bytes, spoken_flops

Order: TypeAlias = Literal["peak", "saved", "total", "recompute"]
_MARK = ">"  # the spec's own
_FIGURES = ("saved_bytes", "peak_bytes", "total_bytes", "reserved_bytes", "recompute_flops", "flops")


@frozen
class Listed:
    """A stage's settings as far as they are shown, in order. `unpredicted` says why there are none."""

    stage: Stage
    unpredicted: str = ""
    survey: Survey | None = None
    passed: int = 0  # a filter
    best: tuple[Outlook, ...] = ()  # the front of those
    shown: tuple[Outlook, ...] = ()


def listed(survey: Survey, passed: tuple[Outlook, ...], order: Order, *, everything: bool) -> Listed:
    """Those that passed a filter, or only the best of them; and in any case the spec's own."""
    best = front(passed)
    chosen = [*(passed if everything else best)]
    if survey.own not in chosen:
        chosen.append(survey.own)
    chosen.sort(key=lambda one: (_amount(one, order), one.recompute_flops, one.total_bytes))
    return Listed(survey.stage, "", survey, len(passed), best, tuple(chosen))


def _amount(outlook: Outlook, order: Order) -> int:
    amounts = {
        "peak": outlook.peak_bytes,
        "saved": outlook.saved_bytes,
        "total": outlook.total_bytes,
        "recompute": outlook.recompute_flops,
    }
    return amounts[order]


def render(every: Iterable[Listed], path: str, paint: Paint) -> Iterator[str]:
    """A table for each stage."""
    for one in every:
        yield f"{paint(visible(path), 'strong')}, stage {paint(visible(one.stage.name), 'strong')}: {_heading(one)}"
        if one.survey is not None:
            yield from _table(one, one.survey)
        yield ""


def _heading(one: Listed) -> str:
    survey = one.survey
    if survey is None:
        return f"memory cannot be predicted: {visible(one.unpredicted)}"
    searched = len(survey.outlooks)
    parts = [f"{searched:,} {plural(searched, 'setting')}"]
    if survey.searched > searched:
        parts = [f"{searched:,} of {survey.searched:,} settings (of mixtures of two ways to treat a layer the best)"]
    if one.passed != searched:
        parts.append(f"{one.passed:,} pass the filter")
    if survey.budget_bytes is not None:
        fitting = sum(survey.fits(outlook) is True for outlook in survey.outlooks)
        parts.append(f"{fitting:,} {'fits' if fitting == 1 else 'fit'} {spoken_bytes(survey.budget_bytes)}")
    without = [outlook for outlook in one.shown if outlook not in one.best]
    if not one.passed:
        parts.append("shown is the spec's own")
    elif not without or without == [survey.own]:
        best = len(one.best)
        parts.append(f"of {best:,} no other is better in bytes and recomputation")
    return ", ".join(parts)


def _table(one: Listed, survey: Survey) -> Iterator[str]:
    sizes = size_headings(one.stage)
    rows = [("", "needed", "total", "peak", "saved", "recomputed", "", "fits", *sizes.values(), "switches")]
    for outlook in one.shown:
        setting = outlook.setting
        rows.append(
            (
                _MARK if outlook == survey.own else "",
                spoken_bytes(survey.needed(outlook)),
                spoken_bytes(outlook.total_bytes),
                spoken_bytes(outlook.peak_bytes),
                spoken_bytes(outlook.saved_bytes),
                share(outlook),
                spoken_flops(outlook.recompute_flops),
                _YES[survey.fits(outlook)],
                *(f"{setting.values[key]}" for key in sizes),
                ", ".join(switched_on(setting, survey.stage)) or "-",
            )
        )
    yield from table(rows, right=frozenset(range(1, len(rows[0]) - 1)))
    outside = spoken_bytes(survey.prediction.outside_bytes)
    yield f"  {_MARK} is the spec's own; needed: the total and {outside} outside of torch's allocator, without what its blocks waste"
    for key, heading in sizes.items():
        yield f"  {visible(heading)}: in groups of, {visible(key)}"


_YES = {True: "yes", False: "no", None: ""}


def size_headings(stage: Stage) -> dict[str, str]:
    """What a column of group sizes is called: by what is grouped, where that says which size it is."""
    regions = [region for region in regions_of(stage) if region.kind == "size"]
    meanings = [stage.dims.describe(region.count).meaning if region.count in stage.dims else "" for region in regions]
    return {
        region.key: meaning if meaning and meanings.count(meaning) == 1 else region.key
        for region, meaning in zip(regions, meanings, strict=True)
    }


def share(outlook: Outlook) -> str:
    """What is recomputed, as a share of all that the step computes."""
    return f"{outlook.recompute_share:.1%}"


def switched_on(setting: Setting, stage: Stage) -> Iterator[str]:
    """The switches that are on, with their layers where these are not all; of groups those that are in some layers only."""
    groups = {region.group for region in regions_of(stage)}
    for key, value in setting.values.items():
        if isinstance(value, str):
            yield f"{key} in {value}"
        elif value is True and key not in groups:
            yield key


def as_json(every: Iterable[Listed], path: str, report: FileReport) -> Iterator[str]:
    """The same as JSON: for each stage its settings."""
    content = {
        "version": FORMAT,
        "file": path,
        "findings": report.as_dict()["findings"],
        "stages": [
            {
                "name": one.stage.name,
                **_surveyed(one),
                "settings": [_setting(outlook, one) for outlook in one.shown],
            }
            for one in every
        ],
    }
    yield json.dumps(content, indent=2)


def _surveyed(one: Listed) -> dict[str, Any]:
    survey = one.survey
    if survey is None:
        return {"unpredicted": one.unpredicted}
    return {
        "device": survey.prediction.device,
        "runtime": survey.prediction.runtime,
        "searched": len(survey.outlooks),
        "budget_bytes": survey.budget_bytes,
        "outside_bytes": survey.prediction.outside_bytes,
    }


def _setting(outlook: Outlook, one: Listed) -> dict[str, Any]:
    assert one.survey is not None, "a setting is one of a survey"
    return {"flags": dict(outlook.setting.values), **_figures(outlook, one, one.survey)}


def _figures(outlook: Outlook, one: Listed, survey: Survey) -> dict[str, Any]:
    return {
        **{name: getattr(outlook, name) for name in _FIGURES},
        "needed_bytes": survey.needed(outlook),
        "recompute_share": outlook.recompute_share,
        "fits": survey.fits(outlook),
        "front": outlook in one.best,
        "own": outlook == survey.own,
    }


def as_csv(every: Iterable[Listed]) -> Iterator[str]:
    """The same as CSV, with one header for all stages; a key that a stage's plugins do not have is empty."""
    rows: list[dict[str, Any]] = []
    keys: dict[str, None] = {}
    for one in every:
        for outlook in one.shown:
            assert one.survey is not None, "a setting is one of a survey"
            keys.update(dict.fromkeys(outlook.setting.values))
            rows.append({"stage": one.stage.name, **outlook.setting.values, **_figures(outlook, one, one.survey)})
    figures = [name for name in (rows[0] if rows else {}) if name not in keys and name != "stage"]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["stage", *keys, *figures], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _as_text(value) for key, value in row.items()} for row in rows)
    yield from text.getvalue().splitlines()


def _as_text(value: object) -> str:
    """As TOML and JSON write it: `true`, not `True`; nothing for what is not known."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else visible(str(value))
