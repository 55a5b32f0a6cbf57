"""HTML and SVG as trees of elements: what is text is escaped when the tree is written."""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import Element, tostring

from tttdit.checker.render.text import visible
from tttdit.core.wording import spoken_bytes

_GIB = 1024**3


def element(name: str, /, *children: Element | str, **attributes: object) -> Element:
    """An element with these children. Of an attribute's name `_` stands for `-`, and a final one for nothing: `class_`, `aria_label`."""
    made = Element(name)
    for key, value in attributes.items():
        if value is not None and value is not False:
            made.set(key.rstrip("_").replace("_", "-"), "" if value is True else visible(str(value)))
    for child in children:
        _append(made, child)
    return made


def drawing(*children: Element | str, **attributes: object) -> Element:
    """An SVG that is as large as its place; coordinates of its children are percentages."""
    return element("svg", *children, xmlns="http://www.w3.org/2000/svg", **attributes)


def stretched(width: float, height: float, *children: Element) -> Element:
    """A drawing in a drawing that has its own coordinates, and fills the outer one."""
    made = drawing(*children, width="100%", height="100%", preserveAspectRatio="none meet")
    made.set("viewBox", f"0 0 {width:g} {height:g}")
    return made


def data(value: Any, **attributes: object) -> Element:
    """Data for the script. JSON in ASCII, without the characters that could end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    made = element("script", type="application/json", **attributes)
    made.text = text  # written as it is: in a script nothing is escaped
    return made


def written(tree: Element) -> str:
    """The tree as HTML."""
    return tostring(tree, encoding="unicode", method="html")


def percent(share: float) -> str:
    """`12.345%`."""
    return f"{100 * share:.3f}%".replace(".000%", "%")


def amount(count: int, digits: int = 2) -> str:
    """`1,234.56 GiB`; less than a hundredth of a GiB in the unit that it fills."""
    return f"{count / _GIB:,.{digits}f} GiB" if count >= _GIB / 100 else spoken_bytes(count)


def _append(parent: Element, child: Element | str) -> None:
    if isinstance(child, Element):
        parent.append(child)
        return
    text = visible(child, keep="\n")
    if len(parent):
        last = parent[-1]
        last.tail = (last.tail or "") + text
    else:
        parent.text = (parent.text or "") + text
