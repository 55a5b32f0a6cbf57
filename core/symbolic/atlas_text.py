"""Atlases as text (JSON), to be kept in files and sent to other processes."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import chain
from typing import Any

from attrs import astuple

from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.atlas import Atlas, Sheet
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.formula import Formula, Opaque
from tttdit.core.symbolic.library import OPERATORS
from tttdit.core.symbolic.operands import Layout, Operands
from tttdit.core.symbolic.outline import RunOutline, Size, Sizes
from tttdit.core.symbolic.periods import Rows


def text_of(atlas: Atlas) -> str:
    """The atlas as text. Raises TypeError where a custom operator has an argument that has no text."""
    return json.dumps(
        {
            "sizes": [_plain_size(size) for size in atlas.sizes],
            "tasks": [_plain_size(task) for task in atlas.tasks],
            "runs": [
                [*map(_plain_sizes, (run.change, run.saved, run.flops, run.recomputed, *run.tops))]
                for run in atlas.runs
            ],
            "sheets": {
                name: {"rows": [*astuple(sheet.rows)], "whos": sheet.whos, "runs": sheet.runs}
                for name, sheet in atlas.sheets.items()
            },
        },
        separators=(",", ":"),
    )


def atlas_of(text: str) -> Atlas:
    """The atlas that a text is of. The modules with its custom operators must have been loaded.

    Raises KeyError, TypeError or ValueError for what is no such text.
    """
    found = json.loads(text)
    return Atlas(
        {_size(size): number for number, size in enumerate(found["sizes"])},
        {_size(task): number for number, task in enumerate(found["tasks"])},
        {_run(*run): number for number, run in enumerate(found["runs"])},
        {
            name: Sheet(Rows(*sheet["rows"]), tuple(map(tuple, sheet["whos"])), tuple(sheet["runs"]))
            for name, sheet in found["sheets"].items()
        },
    )


def _run(change: Any, saved: Any, flops: Any, recomputed: Any, *tops: Any) -> RunOutline:
    return RunOutline(
        _sizes(change),
        tuple(map(_sizes, tops)),
        None if saved is None else _sizes(saved),
        _sizes(flops),
        _sizes(recomputed),
    )


def _plain_sizes(sizes: Sizes | None) -> list[int] | None:
    """Numbers and counts in turn."""
    return None if sizes is None else [*chain.from_iterable(sizes)]


def _sizes(plain: Any) -> Sizes:
    return tuple(zip(plain[::2], plain[1::2], strict=True))


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
            memory = {} if argument.memory is None else {"memory": [*map(_plain, argument.memory)]}
            return {"shape": [*map(_plain, argument.shape)], "of": argument.dtype, "order": argument.order, **memory}
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
    memory = tuple(map(_formula, plain["memory"])) if "memory" in plain else None
    return Layout(tuple(map(_formula, plain["shape"])), plain["of"], tuple(plain["order"]), memory)
