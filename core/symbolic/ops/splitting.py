"""Tensors cut into slices at given places, each with a gradient of the whole size.

`split` and `chunk`, whose parts' gradients come together in one, are in `views`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.views import slice_
from tttdit.core.symbolic.raw import axis, composite, dim_text, shape_text
from tttdit.core.symbolic.tensor import Tensor


@known("torch.tensor_split", "Tensor.tensor_split")
@composite("tensor_split")
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """So many parts, the first ones longer by one where it does not come out even; or cut before these indices."""
    if not input.shape:
        raise ShapeMismatch("tensor_split expected at least a 1-dimensional tensor")
    at = axis(input, dim)
    length = input.shape[at]
    if isinstance(indices_or_sections, Tensor):
        raise UnknownCall("torch.tensor_split", "with a tensor, whose numbers it reads")
    if isinstance(indices_or_sections, int):
        return _parts(input, _borders(length, indices_or_sections), at)
    return _parts(input, [0, *(_within(bound, length) for bound in indices_or_sections), length], at)


@known("torch.hsplit", "Tensor.hsplit")
@composite("hsplit")
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Cut along the columns, or along the only dimension."""
    return _even("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1)


@known("torch.vsplit", "Tensor.vsplit")
@composite("vsplit")
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Cut along the rows."""
    return _even("vsplit", input, indices_or_sections, 0)


@known("torch.dsplit", "Tensor.dsplit")
@composite("dsplit")
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Cut along the third dimension."""
    return _even("dsplit", input, indices_or_sections, 2)


def _even(call: str, input: Tensor, given: Any, at: int) -> tuple[Tensor, ...]:
    if input.ndim <= at:
        raise ShapeMismatch(f"{call}: {shape_text(input.shape)} has no dimension {at}")
    if isinstance(given, int) and int(input.shape[at]) % given:
        raise ShapeMismatch(
            f"{call}: dimension {at} of {shape_text(input.shape)}, {dim_text(input.shape[at])}, is not divisible by {given}",
            input.shape[at],
            given,
        )
    return tensor_split(input, given, at)


def _borders(length: int, sections: int) -> list[int]:
    if sections < 1:
        raise ValueError(f"number of sections must be larger than 0, got {sections}")
    longer = length % sections  # so many parts have one more
    size = (length - longer) // sections if longer else length // sections
    borders: list[int] = [0]
    for part in range(sections):
        borders.append(borders[-1] + size + (1 if part < longer else 0))
    return borders


def _within(bound: int, length: int) -> int:
    if bound < 0:
        bound = length + bound
    return 0 if bound < 0 else length if bound >= length else bound


def _parts(input: Tensor, borders: list[int], at: int) -> tuple[Tensor, ...]:
    return tuple(slice_(input, at, start, max(start, stop)) for start, stop in pairwise(borders))
