"""The stacked chart of a step: bytes by component, operator by operator."""

from __future__ import annotations

from itertools import accumulate
from typing import Any
from xml.etree.ElementTree import Element

from tttdit.checker.memory.stage_view import StageView
from tttdit.checker.render.explanation import formula_text, made_by, shape_text
from tttdit.checker.render.page.elements import amount, drawing, element, percent, stretched
from tttdit.checker.render.page.frame import Cell, budget_level, column_head, framed, level, table
from tttdit.checker.render.page.scale import Scale, linear, unit_of
from tttdit.checker.render.page.timeline import Timeline

# A budget of more than so many times the peak is told and not drawn, for the step would be a strip at the bottom.
_FARTHEST_BUDGET = 4
_HEIGHT = 1000  # units of the drawing
_NAMED = 0.1  # of the step, for a phase to have its name in the chart


def timeline_figure(view: StageView, timeline: Timeline) -> Element:
    """The chart, its legend, and the table of the components."""
    peak = timeline.columns[timeline.peak]
    budget = view.prediction.budget_bytes
    is_drawn = budget is not None and budget <= _FARTHEST_BUDGET * peak.total
    highest = max(peak.total, budget if is_drawn and budget is not None else 0)
    unit, unit_name = unit_of(highest)
    scale = linear(highest, unit)
    count = len(view.tape.moments)
    chart = drawing(
        *(level(scale, tick, "grid") for tick in scale.ticks),
        stretched(len(timeline.columns), _HEIGHT, *_areas(timeline, scale)),
        *_phases(view),
        *(budget_level(scale, budget, f"the GPU has {amount(budget)}") if is_drawn and budget is not None else ()),
        *_peak(view, timeline, scale),
        element("line", class_="cursor", y1="0", y2="100%", x1="0", x2="0", visibility="hidden"),
        class_="plot",
        role="img",
        tabindex="0",
        data_figure="timeline",
        aria_label=f"Memory over one training step. The peak is {amount(peak.total)}, {view.tape.moments[peak.at].told()}. "
        "Arrow keys move through the step.",
    )
    across = linear(count, 1, 7)
    return framed(
        chart,
        [(scale.share(tick), f"{tick / unit:,g}") for tick in scale.ticks],
        [(tick / count, f"{tick:,.0f}") for tick in across.ticks if tick <= count],
        unit_name,
        "operators in the order in which they run",
        _legend(timeline),
    )


def timeline_data(view: StageView, timeline: Timeline) -> dict[str, Any]:
    """What the script says of a place in the chart."""
    moments = view.tape.moments
    return {
        "count": len(moments),
        "components": [{"name": each.name, "colour": each.colour} for each in timeline.components.every],
        "columns": [
            [
                each.at,
                moments[each.at].told(),
                moments[each.at].name,
                list(each.bytes),
                [list(one) for one in each.largest],
            ]
            for each in timeline.columns
        ],
        "tensors": [
            {
                "name": made_by(each),
                "region": each.region,
                "shape": shape_text(each, view.known),
                "dtype": each.dtype,
                "formula": formula_text(each, view.known),
                "bytes": each.nbytes,
                "lines": [list(place) for place in view.lines_behind(each)],
            }
            for each in timeline.tensors
        ],
    }


def _areas(timeline: Timeline, scale: Scale) -> list[Element]:
    """One outline a component, each column a step of it."""
    heights = [list(accumulate(column.bytes)) for column in timeline.columns]
    below: list[float] = [_HEIGHT] * len(heights)
    areas = []
    for number, component in enumerate(timeline.components.every):
        above = [_HEIGHT * (1 - scale.share(stack[number])) for stack in heights]
        areas.append(element("path", class_="area", fill=f"var(--{component.colour})", d=_outline(above, below)))
        below = above
    return areas


def _outline(above: list[float], below: list[float]) -> str:
    upper, lower = _steps(above, 0, 1), _steps(below[::-1], len(below), -1)
    return f"M0 {below[0]:.1f}{upper}V{below[-1]:.1f}{lower}Z"


def _steps(values: list[float], start: int, direction: int) -> str:
    """Along the tops of columns; equal neighbours are one line."""
    text, last = "", ""
    for number, value in enumerate(values):
        here = f"{value:.1f}"
        if here != last:
            text += f"H{start + direction * number}V{here}" if number else f"V{here}"
            last = here
    return f"{text}H{start + direction * len(values)}"


def _phases(view: StageView) -> list[Element]:
    """The names of the step's phases, with lines between them. One that is too short for its name has the line only."""
    moments = view.tape.moments
    starts = [at for at in range(len(moments)) if at == 0 or moments[at].phase != moments[at - 1].phase]
    drawn = []
    for start, end in zip(starts, [*starts[1:], len(moments)], strict=True):
        x = percent(start / len(moments))
        if start:
            drawn.append(element("line", class_="boundary", x1=x, x2=x, y1="0", y2="100%"))
        if end - start >= _NAMED * len(moments):
            drawn.append(element("text", moments[start].phase, class_="note", x=x, y="-7", dx="4"))
    return drawn


def _peak(view: StageView, timeline: Timeline, scale: Scale) -> list[Element]:
    column = timeline.columns[timeline.peak]
    share = (timeline.peak + 0.5) / len(timeline.columns)
    x, y = percent(share), percent(1 - scale.share(column.total))
    is_right = share > 0.5
    label = f"peak {amount(column.total)}"
    return [
        element("line", class_="peak", x1=x, x2=x, y1=y, y2="100%"),
        element("circle", class_="peak", cx=x, cy=y, r="4"),
        element(
            "text",
            label,
            class_="note peak",
            x=x,
            y=y,
            dy="-8",
            dx="-4" if is_right else "4",
            text_anchor="end" if is_right else None,
        ),
    ]


def _legend(timeline: Timeline) -> Element:
    """The components from the top to the bottom, with what each has at the peak and at most."""
    peak = timeline.columns[timeline.peak]
    rows: list[list[Cell]] = []
    for number, component in reversed(list(enumerate(timeline.components.every))):
        highest = max(column.bytes[number] for column in timeline.columns)
        swatch = element("span", class_="swatch", style=f"background: var(--{component.colour})")
        rows.append([element("span", swatch, component.name), amount(peak.bytes[number]), amount(highest)])
    rows.append([element("b", "all"), amount(peak.total), amount(peak.total)])
    return table(["component", column_head("at the peak"), column_head("at most")], rows)
