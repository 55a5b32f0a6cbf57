"""Outlines as text (JSON), to be kept in files and sent to other processes."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.formula import Formula, Opaque
from tttdit.core.symbolic.library import OPERATORS
from tttdit.core.symbolic.operands import Layout, Operands
from tttdit.core.symbolic.outline import Outline, RunOutline, Size
from tttdit.core.symbolic.periods import Rows


def text_of(outline: Outline) -> str:
    """The outline as text. Raises TypeError where a custom operator has an argument that has no text."""
    runs = [[run.who, run.change, run.tops, run.saved, run.flops, run.recomputed] for run in outline.runs]
    rows = outline.rows
    sizes, tasks = ([_plain_size(size) for size in some] for some in (outline.sizes, outline.tasks))
    return json.dumps(
        {"rows": [rows.groups, rows.size, rows.rest], "runs": runs, "sizes": sizes, "tasks": tasks},
        separators=(",", ":"),
    )


def outline_of(text: str) -> Outline:
    """The outline that a text is of. The modules with its custom operators must have been loaded.

    Raises KeyError, TypeError or ValueError for what is no such text.
    """
    found = json.loads(text)
    return Outline(
        Rows(*found["rows"]),
        tuple(_run(*run) for run in found["runs"]),
        tuple(_size(size) for size in found["sizes"]),
        tuple(_size(task) for task in found["tasks"]),
    )


def _run(who: Any, change: Any, tops: Any, saved: Any, flops: Any, recomputed: Any) -> RunOutline:
    return RunOutline(tuple(who), change, tops, saved, flops, recomputed)


def _plain_size(size: Size) -> Any:
    if isinstance(size, Operands):
        return {"operator": size.operator.name, "arguments": [_plain_argument(each) for each in size.arguments]}
    return size if isinstance(size, int) else _plain(size)


def _size(plain: Any) -> Size:
    if isinstance(plain, dict):
        return Operands(OPERATORS[plain["operator"]], tuple(_argument(each) for each in plain["arguments"]))
    return plain if isinstance(plain, int) else _formula(plain)


def _plain(formula: Formula) -> list[Any]:
    return [
        [[[atom if isinstance(atom, str) else _plain_part(atom), power] for atom, power in monomial], *_ratio(number)]
        for monomial, number in formula.terms.items()
    ]


def _plain_part(part: Opaque) -> list[Any]:
    return [part.name, *map(_plain, part.arguments)]


def _ratio(number: int | Fraction) -> tuple[int, int]:
    exact = Fraction(number)
    return exact.numerator, exact.denominator


def _formula(plain: list[Any]) -> Formula:
    return Formula(
        {
            tuple((atom if isinstance(atom, str) else _part(atom), power) for atom, power in monomial): (
                above if below == 1 else Fraction(above, below)
            )
            for monomial, above, below in plain
        }
    )


def _part(plain: list[Any]) -> Opaque:
    name, *arguments = plain
    return Opaque(name, *map(_formula, arguments))


def _plain_argument(argument: Any) -> Any:
    match argument:
        case None | bool() | int() | float() | str():
            return argument
        case Formula():
            return {"formula": _plain(argument)}
        case DType():
            return {"dtype": argument.name}
        case tuple():
            return [_plain_argument(each) for each in argument]
        case Layout():
            return {"shape": [*map(_plain, argument.shape)], "of": argument.dtype, "order": argument.order}
    raise TypeError(f"{type(argument).__name__} has no text")


def _argument(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_argument(each) for each in plain)
    if not isinstance(plain, dict):
        return plain
    if "formula" in plain:
        return _formula(plain["formula"])
    if "dtype" in plain:
        return types.NAMES[plain["dtype"]]
    return Layout(tuple(map(_formula, plain["shape"])), plain["of"], tuple(plain["order"]))
