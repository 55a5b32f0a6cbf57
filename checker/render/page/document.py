"""The whole page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any
from xml.etree.ElementTree import Element

import tttdit
from tttdit.checker.memory.stage_view import StageView
from tttdit.checker.render.page.elements import amount, data, element, written
from tttdit.checker.render.page.frame import column_head, table
from tttdit.checker.render.page.peak_figure import groups, peak_data, peak_figure
from tttdit.checker.render.page.settings_figure import points, settings_data, settings_figure
from tttdit.checker.render.page.timeline import timeline
from tttdit.checker.render.page.timeline_figure import timeline_data, timeline_figure
from tttdit.core.wording import spoken_flops

# No address may be asked for anything, whatever the page holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(name: str, path: str, views: Sequence[StageView]) -> str:
    """The page about the stages of the spec `name`, which was read from `path`; the same for the same spec, whenever it is made."""
    stages, known = [], []
    for number, view in enumerate(views):
        section, its_data = _stage(number, view, has_title=len(views) > 1)
        stages.append(section)
        known.append(its_data)
    tabs = [_tabs(views)] if len(views) > 1 else []
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _meta("http-equiv", "Content-Security-Policy", _POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Memory of {name}"),
        _inline("style", "page.css"),
    )
    header = element(
        "header",
        element("h1", "Memory of one training step"),
        element(
            "p",
            element("b", name),
            f" from {path}; one rank, bytes predicted by tttdit {tttdit.__version__}",
            class_="lead",
        ),
    )
    tooltip = element("div", id="tooltip", role="status", hidden=True)
    body = element(
        "body", header, *tabs, element("main", *stages), tooltip, data(known, id="data"), _inline("script", "page.js")
    )
    return f"<!doctype html>\n{written(element('html', head, body, lang='en'))}\n"


def _meta(attribute: str, value: str, content: str) -> Element:
    made = element("meta", content=content)
    made.set(attribute, value)
    return made


def _inline(tag: str, name: str) -> Element:
    """A file of this folder, as it is."""
    made = element(tag)
    made.text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return made


def _tabs(views: Sequence[StageView]) -> Element:
    buttons = [
        element(
            "button", view.stage.name, role="tab", type="button", id=f"tab-{number}", aria_controls=f"stage-{number}"
        )
        for number, view in enumerate(views)
    ]
    return element("nav", *buttons, role="tablist", aria_label="Stages")


def _stage(number: int, view: StageView, *, has_title: bool) -> tuple[Element, dict[str, Any]]:
    line = timeline(view)
    treemap = groups(view, line.components)
    found = points(view.survey) if view.survey is not None else []
    budget = view.survey.budget_bytes if view.survey is not None else view.prediction.budget_bytes
    parts = [
        element("h2", f"Stage {view.stage.name}") if has_title else element("span"),
        _figures(view, budget),
        _section("Over the step", _over_the_step(view), timeline_figure(view, line)),
    ]
    if found:
        parts.append(_section("Settings of [memory]", _about_settings(len(found)), settings_figure(found, budget)))
    told = f"At {view.tape.moments[view.tape.highest_at].told()}. Areas are bytes."
    parts.append(_section("What the peak consists of", told, peak_figure(treemap)))
    parts.append(_symbols(view))
    section = element(
        "section", *parts, class_="stage", id=f"stage-{number}", role="tabpanel", aria_label=f"Stage {view.stage.name}"
    )
    known = {"timeline": timeline_data(view, line), "settings": settings_data(found), "peak": peak_data(view, treemap)}
    return section, known


def _section(title: str, told: str, figure: Element) -> Element:
    return element("section", element("h3", title), element("p", told, class_="told"), figure, class_="card")


def _over_the_step(view: StageView) -> str:
    prediction = view.prediction
    text = (
        f"Runtime {prediction.runtime}, {prediction.device}, {prediction.dtype}. Each column is the highest moment of its operators. "
        "Point at the chart, or move through it with the arrow keys, to see what lives there."
    )
    apart = prediction.needed_bytes - view.drawn_bytes
    if apart > 0:
        text += (
            f" Not drawn: {amount(apart)} for libraries and the CUDA context, and that blocks of the allocator waste."
        )
    return text


def _about_settings(count: int) -> str:
    return (
        f"{count:,} settings by the bytes that a GPU must hold and the operations that are done twice; lower and further left is better. "
        "The line joins those that no other is better than in both."
    )


def _figures(view: StageView, budget: int | None) -> Element:
    """The stage in a few numbers."""
    prediction = view.prediction
    needed = prediction.needed_bytes
    share = prediction.recompute_flops / prediction.flops if prediction.flops else 0
    shown = [
        ("needed by a GPU", amount(needed), _verdict(needed, budget)),
        ("peak of forward and backward", amount(prediction.peak_bytes), prediction.peak_at),
        ("saved by forward", amount(prediction.saved_bytes), "live when the loss has been computed"),
        ("computed", spoken_flops(prediction.flops), f"{100 * share:.1f} % of it recomputed"),
    ]
    tiles = [
        element(
            "div",
            element("dt", title),
            element("dd", element("b", value), element("span", note)),
            class_="tile" + (" over" if budget is not None and number == 0 and needed > budget else ""),
        )
        for number, (title, value, note) in enumerate(shown)
    ]
    return element("dl", *tiles, class_="tiles")


def _verdict(needed: int, budget: int | None) -> str:
    if budget is None:
        return "the spec names no GPU"
    if needed <= budget:
        return f"fits into {amount(budget)}, {amount(budget - needed)} to spare"
    return f"does not fit into {amount(budget)}: {amount(needed - budget)} over"


def _symbols(view: StageView) -> Element:
    """What the letters of formulas mean, their values, and the spec's lines that they come from."""
    rows: list[list[Element | str]] = []
    for symbol in view.dims:
        value = view.dims.value(symbol)
        if value is not None:
            lines = ", ".join(f"{key} (line {line})" for key, line in view.line_of(symbol))
            rows.append([element("code", symbol), view.dims.describe(symbol).meaning, f"{value:,}", lines])
    body = table(["symbol", "meaning", column_head("value"), "from"], rows)
    return element("details", element("summary", "Symbols in formulas"), body, class_="card")
