"""What a key of a table may be at all, by the bounds of its field."""

from __future__ import annotations

import typing
from fractions import Fraction
from typing import Any

from pydantic.fields import FieldInfo

from tttdit.core.solving.progressions import plain
from tttdit.core.solving.solutions import Domain
from tttdit.core.spec.fields import LARGEST_DIMENSION

# Stands for "above 0" where a field excludes it: less than any length that somebody writes.
_SMALLEST = Fraction(1, 10**9)


def domain_of(field: FieldInfo) -> Domain | None:
    """The numbers above zero that a field takes; None for one that takes no numbers."""
    types = set(_types(field.annotation))
    if not types & {int, float}:
        return None
    whole = float not in types
    next_one = 1 if whole else _SMALLEST
    lowest, last = [next_one], [Fraction(LARGEST_DIMENSION)]
    for bound in [*field.metadata, *_bounds(field.annotation)]:
        for name, where, step in (
            ("ge", lowest, 0),
            ("gt", lowest, next_one),
            ("le", last, 0),
            ("lt", last, -next_one),
        ):
            if getattr(bound, name, None) is not None:
                where.append(Fraction(getattr(bound, name)) + step)
    return Domain(plain(max(lowest)), plain(min(last)), whole)


def _types(annotation: Any) -> list[Any]:
    arguments = typing.get_args(annotation)
    return [found for argument in arguments for found in _types(argument)] if arguments else [annotation]


def _bounds(annotation: Any) -> list[Any]:
    """Those inside unions: `Annotated[int, Field(ge=1)] | Literal["auto"]`."""
    found: list[Any] = []
    for part in getattr(annotation, "__metadata__", ()):
        found += part.metadata if isinstance(part, FieldInfo) else [part]
    return found + [one for argument in typing.get_args(annotation) for one in _bounds(argument)]
