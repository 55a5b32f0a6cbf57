"""What the peak consists of: a treemap, whose areas are bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

from attrs import frozen

from tttdit.checker.memory.explaining import Tensors, living_at
from tttdit.checker.memory.stage_view import StageView
from tttdit.checker.render.explanation import formula_text, made_by, named_layers, shape_text
from tttdit.checker.render.page.cells import Box, squarified
from tttdit.checker.render.page.components import Component, Components, component_of
from tttdit.checker.render.page.elements import amount, drawing, element, percent
from tttdit.checker.render.page.frame import column_head, table

# The sides for which rectangles are made nearly squares, in pixels of usual screens; the page stretches them.
_WIDE, _NARROW = Box(0, 0, 1180, 560), Box(0, 0, 340, 620)
_MARGIN, _HEAD = 2.0, 20.0
# Smaller rectangles than this part of the whole are one.
_SMALLEST = 1 / 2000
# Narrower or lower ones have no text.
_TEXT_WIDTH, _TEXT_HEIGHT = 56.0, 30.0


@frozen
class Cell:
    """A rectangle: tensors that are alike, in so many layers."""

    name: str
    nbytes: int
    times: int  # layers
    layers: str  # "layers.0 to layers.40", "" for what belongs to no layer
    tensors: Tensors | None  # None for what stands before the step, and for several small ones


@frozen
class Group:
    """A component with its cells, the largest first."""

    component: Component
    cells: tuple[Cell, ...]

    @property
    def nbytes(self) -> int:
        """The bytes of all of them."""
        return sum(cell.nbytes for cell in self.cells)


def groups(view: StageView, components: Components) -> list[Group]:
    """What lives when most does, by component, what stands before the step included; the largest first."""
    cells: dict[int, list[Cell]] = defaultdict(list)
    for name, count in view.standing.items():
        if count:
            cells[components.number(name)].append(Cell(f"{name} before the step", count, 1, "", None))
    for share in living_at(view.tape, view.tape.highest_at).shares:
        layers = named_layers(share.layers, view.tape.layers) if share.layers else ""
        for each in share.tensors:
            cell = Cell(made_by(each), each.total * share.times, share.times, layers, each)
            cells[components.number(component_of(each))].append(cell)
    smallest = _SMALLEST * sum(cell.nbytes for some in cells.values() for cell in some)
    found = [Group(components.every[number], tuple(_merged(some, smallest))) for number, some in cells.items()]
    return sorted(found, key=lambda group: -group.nbytes)


def peak_figure(found: Sequence[Group]) -> Element:
    """The treemap, once for wide and once for narrow screens, and the same as a table."""
    total = sum(group.nbytes for group in found)
    return element(
        "div", _treemap(found, _WIDE, "wide", total), _treemap(found, _NARROW, "narrow", total), _table(found, total)
    )


def _treemap(found: Sequence[Group], sides: Box, class_: str, total: int) -> Element:
    drawn, number = list[Element](), 0
    for group, box in zip(found, squarified([group.nbytes for group in found], sides), strict=True):
        drawn.append(_head(group, box, sides))
        inside = box.within(_MARGIN, _HEAD if _has_head(box) else 0)
        for cell, place in zip(group.cells, squarified([cell.nbytes for cell in group.cells], inside), strict=True):
            drawn.append(_cell(number, cell, group.component, place, sides))
            number += 1
    label = f"What the peak of {amount(total)} consists of"
    return drawing(*drawn, class_=f"treemap {class_}", role="group", data_figure="peak", aria_label=label)


def peak_data(view: StageView, found: Sequence[Group]) -> list[list[Any]]:
    """What the script says of each rectangle, in the order in which they are drawn."""
    return [[group.component.name, *_told(view, cell)] for group in found for cell in group.cells]


def _told(view: StageView, cell: Cell) -> list[Any]:
    if cell.tensors is None:
        return [cell.name, cell.nbytes, "", "", "", []]
    each = cell.tensors
    formula = formula_text(each, view.known)
    many = each.count * cell.times
    if formula and many > 1:
        formula = f"{many} x {formula}"
    lines = [list(place) for place in view.lines_behind(each)]
    return [cell.name, cell.nbytes, cell.layers, formula, f"{shape_text(each, view.known)} {each.dtype}".strip(), lines]


def _merged(cells: list[Cell], smallest: float) -> list[Cell]:
    cells = sorted(cells, key=lambda cell: -cell.nbytes)
    kept = [cell for cell in cells if cell.nbytes >= smallest]
    small = cells[len(kept) :]
    if len(small) == 1:
        return cells
    together = sum(cell.nbytes for cell in small)
    return [*kept, Cell(f"{len(small)} smaller", together, 1, "", None)] if together else kept


def _has_head(box: Box) -> bool:
    return box.width >= 2 * _TEXT_WIDTH and box.height >= 2.5 * _HEAD


def _placed(name: str, box: Box, sides: Box, *children: Element, **attributes: object) -> Element:
    return element(
        name,
        *children,
        x=percent(box.x / sides.width),
        y=percent(box.y / sides.height),
        width=percent(box.width / sides.width),
        height=percent(box.height / sides.height),
        **attributes,
    )


def _head(group: Group, box: Box, sides: Box) -> Element:
    if not _has_head(box):
        return element("g")
    name = group.component.name.removeprefix("activations: ")
    text = element("text", f"{name}, {amount(group.nbytes)}", class_="head", x="4", y="15")
    return _placed("svg", Box(box.x, box.y, box.width, _HEAD), sides, text)


def _cell(number: int, cell: Cell, component: Component, box: Box, sides: Box) -> Element:
    shown: list[Element] = [
        element("rect", class_="cell", width="100%", height="100%", fill=f"var(--{component.colour})"),
    ]
    if box.width >= _TEXT_WIDTH and box.height >= _TEXT_HEIGHT:
        name = cell.name.partition(",")[0].replace(" of ", " ")
        shown.append(element("text", name, class_="in", x="5", y="15"))
        shown.append(element("text", amount(cell.nbytes), class_="in size", x="5", y="28"))
    return _placed(
        "svg",
        box,
        sides,
        *shown,
        class_=f"tile {component.colour}",
        data_cell=number,
        tabindex="0",
        role="img",
        aria_label=f"{cell.name}: {amount(cell.nbytes)}",
    )


def _table(found: Sequence[Group], total: int) -> Element:
    rows = [
        [
            f"{group.component.name}: {cell.name}" if cell.tensors else cell.name,
            cell.layers,
            amount(cell.nbytes, 3),
            f"{100 * cell.nbytes / total:.1f} %",
        ]
        for group in found
        for cell in group.cells
    ]
    head: list[str | Element] = ["tensors", "layers", column_head("bytes"), column_head("share")]
    return element("details", element("summary", "The same as a table"), table(head, rows))
