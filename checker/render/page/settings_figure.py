"""All settings of a stage: bytes against what is recomputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

from attrs import frozen

from tttdit.checker.memory.surveying import Survey
from tttdit.checker.render.page.elements import amount, drawing, element, percent
from tttdit.checker.render.page.frame import Cell, budget_level, column_head, framed, level, table
from tttdit.checker.render.page.scale import Scale, linear, logarithmic, unit_of
from tttdit.core.wording import spoken_flops


@frozen(kw_only=True)
class Point:
    """One setting in the chart. `fits` is None where there is no budget."""

    values: Mapping[str, bool | int | str]
    saved_bytes: int
    peak_bytes: int
    needed_bytes: int  # of the whole rank
    recompute_flops: int
    recompute_share: float
    fits: bool | None
    is_best: bool  # no other takes fewer bytes without recomputing more
    is_own: bool  # it is the spec's

    @property
    def name(self) -> str:
        """`attention, mlp; scan_checkpoint_group_size = 16`: the switches that are on, then the sizes."""
        on = [key for key, value in self.values.items() if value is True]
        sizes = [f"{key} = {value}" for key, value in self.values.items() if not isinstance(value, bool)]
        return "; ".join([", ".join(on) or "no switch", *sizes])


def points(survey: Survey) -> list[Point]:
    """A survey's settings; those that are drawn last lie on top."""
    best = {id(each) for each in survey.front}
    found = [
        Point(
            values=each.setting.values,
            saved_bytes=each.saved_bytes,
            peak_bytes=each.peak_bytes,
            needed_bytes=survey.needed(each),
            recompute_flops=each.recompute_flops,
            recompute_share=each.recompute_share,
            fits=survey.fits(each),
            is_best=id(each) in best,
            is_own=each.setting == survey.own.setting,
        )
        for each in survey.every
    ]
    return sorted(found, key=lambda point: (point.is_own, point.is_best, -point.needed_bytes))


def settings_figure(found: Sequence[Point], budget: int | None) -> Element:
    """The scatter with its front and the budget, and the front as a table."""
    drawn = [*(point.needed_bytes for point in found), *([budget] if budget is not None else [])]
    unit, unit_name = unit_of(min(drawn))
    up = logarithmic(drawn, unit)
    most = max(point.recompute_flops for point in found)
    across = linear(most, 10.0 ** (len(str(most)) - 1), 6)
    plot = drawing(
        *(level(up, tick, "grid") for tick in up.ticks),
        *_front(found, up, across),
        *(_mark(number, point, up, across) for number, point in enumerate(found)),
        *(budget_level(up, budget, f"budget {amount(budget)}") if budget is not None else ()),
        *_own(found, up, across),
        class_="plot",
        role="group",
        data_figure="settings",
        aria_label=f"{len(found):,} settings: bytes against what is recomputed. The best are listed in the table.",
    )
    frame = framed(
        plot,
        [(up.share(tick), f"{tick / unit:,g}") for tick in up.ticks],
        [(across.share(tick), spoken_flops(round(tick))) for tick in across.ticks],
        f"{unit_name} (logarithmic)",
        "recomputed in a step",
        _key(found),
    )
    return element("div", frame, _table(found))


def settings_data(found: Sequence[Point]) -> dict[str, Any]:
    """What the script says of each point, in the order in which they are drawn."""
    return {
        "keys": list(found[0].values) if found else [],
        "points": [
            [
                list(point.values.values()),
                point.needed_bytes,
                point.peak_bytes,
                point.saved_bytes,
                spoken_flops(point.recompute_flops),
                round(100 * point.recompute_share, 1),
                _verdict(point),
            ]
            for point in found
        ],
    }


def _verdict(point: Point) -> str:
    what = "the spec's own setting" if point.is_own else "no other is better in both" if point.is_best else ""
    fits = {True: "fits", False: "does not fit", None: ""}[point.fits]
    return ", ".join(filter(None, (fits, what)))


def _at(point: Point, up: Scale, across: Scale) -> tuple[str, str]:
    return percent(across.share(point.recompute_flops)), percent(1 - up.share(point.needed_bytes))


def _mark(number: int, point: Point, up: Scale, across: Scale) -> Element:
    x, y = _at(point, up, across)
    kind = {True: "fits", False: "over", None: "unknown"}[point.fits]
    return element(
        "circle",
        class_=f"point {kind}{' best' if point.is_best else ''}{' own' if point.is_own else ''}",
        cx=x,
        cy=y,
        r="6" if point.is_own else "5" if point.is_best else "3",
        data_point=number,
        tabindex="0" if point.is_best or point.is_own else None,
        role="img" if point.is_best or point.is_own else None,
        aria_label=f"{point.name}: {amount(point.needed_bytes)}" if point.is_best or point.is_own else None,
    )


def _front(found: Sequence[Point], up: Scale, across: Scale) -> list[Element]:
    """From each of the best a step to the next: so many bytes are the least for as much recomputation."""
    best = sorted((point for point in found if point.is_best), key=lambda point: point.recompute_flops)
    lines = []
    for left, right in pairwise(best):
        (x1, y1), (x2, y2) = _at(left, up, across), _at(right, up, across)
        lines.append(element("line", class_="front", x1=x1, y1=y1, x2=x2, y2=y1))
        lines.append(element("line", class_="front", x1=x2, y1=y1, x2=x2, y2=y2))
    return lines


def _own(found: Sequence[Point], up: Scale, across: Scale) -> list[Element]:
    texts = []
    for point in found:
        if point.is_own:
            x, y = _at(point, up, across)
            is_right = across.share(point.recompute_flops) > 0.7
            texts.append(
                element(
                    "text",
                    "this spec",
                    class_="note own",
                    x=x,
                    y=y,
                    dx="-11" if is_right else "11",
                    dy="-9",
                    text_anchor="end" if is_right else None,
                )
            )
    return texts


def _key(found: Sequence[Point]) -> Element:
    """What the marks mean, and how many there are of each."""
    kinds = [
        ("fits", "fits", sum(point.fits is True for point in found)),
        ("over", "does not fit", sum(point.fits is False for point in found)),
        ("unknown", "setting", sum(point.fits is None for point in found)),
        ("best", "on the front: no other is better in both", sum(point.is_best for point in found)),
    ]
    rows: list[list[Cell]] = []
    for kind, text, count in kinds:
        if count:
            mark = drawing(
                element("circle", class_=f"point {kind}", cx="8", cy="8", r="5"), class_="sample", aria_hidden="true"
            )
            rows.append([element("span", mark, text), f"{count:,}"])
    return table(["mark", column_head("settings")], rows)


def _table(found: Sequence[Point]) -> Element:
    best = sorted((point for point in found if point.is_best or point.is_own), key=lambda point: point.recompute_flops)
    rows = [
        [
            point.name,
            amount(point.needed_bytes),
            amount(point.peak_bytes),
            amount(point.saved_bytes),
            spoken_flops(point.recompute_flops),
            _verdict(point),
        ]
        for point in best
    ]
    numbers = map(column_head, ("needed", "peak", "saved", "recomputed"))
    return element("details", element("summary", "The front as a table"), table(["setting", *numbers, "verdict"], rows))
