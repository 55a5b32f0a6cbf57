"""What charts share: axes around a plot, lines across it, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias
from xml.etree.ElementTree import Element

from tttdit.checker.render.page.elements import element, percent
from tttdit.checker.render.page.scale import Scale

Cell: TypeAlias = "Element | str"


def framed(
    plot: Element,
    up: Sequence[tuple[float, str]],
    across: Sequence[tuple[float, str]],
    up_title: str,
    across_title: str,
    beside: Element | None = None,
) -> Element:
    """A plot with its axes; `up` and `across` are ticks, as shares of the axis and texts. On narrow screens `beside` goes below."""
    axis_up = element(
        "div",
        *(element("span", text, style=f"top: {percent(1 - share)}") for share, text in up),
        class_="axis up",
        aria_hidden="true",
    )
    axis_across = element(
        "div",
        *(element("span", text, style=f"left: {percent(share)}") for share, text in across),
        class_="axis across",
        aria_hidden="true",
    )
    frame = element(
        "div",
        element("div", up_title, class_="title up"),
        axis_up,
        element("div", plot, class_="field"),
        axis_across,
        element("div", across_title, class_="title across"),
        class_="frame",
    )
    return element(
        "div", frame, *([element("div", beside, class_="beside")] if beside is not None else []), class_="figure"
    )


def level(up: Scale, value: float, class_: str) -> Element:
    """A line across the plot where a value lies."""
    y = percent(1 - up.share(value))
    return element("line", class_=class_, x1="0", x2="100%", y1=y, y2=y)


def budget_level(up: Scale, budget: int, text: str) -> list[Element]:
    """The line of the budget, and above its end what is said of it."""
    y = percent(1 - up.share(budget))
    told = element("text", text, class_="note budget", x="100%", y=y, dx="-4", dy="-5", text_anchor="end")
    return [level(up, budget, "budget"), told]


def column_head(text: str) -> Element:
    """The heading of a column of numbers."""
    return element("span", text, class_="number")


def table(head: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> Element:
    """A table; every column but the first holds numbers if its heading says so."""
    numbers = [isinstance(title, Element) for title in head]
    body = [
        element(
            "tr",
            *(
                element("td", cell, class_="number" if is_number else None)
                for cell, is_number in zip(row, numbers, strict=True)
            ),
        )
        for row in rows
    ]
    titles = element("tr", *(element("th", title, scope="col") for title in head))
    return element("div", element("table", element("thead", titles), element("tbody", *body)), class_="scrolls")
