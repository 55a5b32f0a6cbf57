"""Layouts: which strides a result has, and whether a reshape is a view or a copy.

Ported rules of ATen: `computeStride` (aten/src/ATen/TensorUtils.cpp) and TensorIterator's choice of an output layout
(aten/src/ATen/TensorIterator.cpp, reorder_dimensions and allocate_or_resize_outputs). Strides are plain ints, counted in elements.

Layers that are alike ask the same again and again, so that answers are remembered: they follow from values, not from formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tttdit.core.symbolic.tensor import Tensor

Shape = Sequence[int]
Strides = tuple[int, ...]

REMEMBERED = 4096  # answers of each kind; a model asks for some hundred


def contiguous_strides(shape: Shape) -> Strides:
    """Row by row."""
    return _contiguous_strides(tuple(shape))


@lru_cache(REMEMBERED)
def _contiguous_strides(shape: tuple[int, ...]) -> Strides:
    strides, elements = [], 1
    for size in reversed(shape):
        strides.append(elements)
        elements *= max(int(size), 1)
    return tuple(reversed(strides))


def is_contiguous(shape: Shape, strides: Strides) -> bool:
    """Whether the elements lie row by row; dimensions of 1 do not matter."""
    return _is_contiguous(tuple(shape), strides)


@lru_cache(REMEMBERED)
def _is_contiguous(shape: tuple[int, ...], strides: Strides) -> bool:
    elements = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1:
            if stride != elements:
                return size == 0
            elements *= int(size)
    return True


def is_dense(shape: Shape, strides: Strides) -> bool:
    """Whether the elements fill their memory without overlap, in whatever order."""
    return _is_dense(tuple(shape), strides)


@lru_cache(REMEMBERED)
def _is_dense(shape: tuple[int, ...], strides: Strides) -> bool:
    elements = 1
    for stride, size in sorted((stride, int(size)) for size, stride in zip(shape, strides, strict=True) if size != 1):
        if stride != elements:
            return False
        elements *= size
    return True


def _is_in_order(shape: Shape, strides: Strides, order: Sequence[int]) -> bool:
    """Whether the elements fill their memory with these dimensions from the innermost to the outermost; those of 1 do not matter."""
    elements = 1
    for d in order:
        if shape[d] != 1:
            if strides[d] != elements:
                return False
            elements *= int(shape[d])
    return True


def is_channels_last(shape: Shape, strides: Strides) -> bool:
    """Whether torch takes the layout of [N, C, H, W] or [N, C, F, H, W] for one with the channels innermost.

    A port of is_channels_last_strides_2d and _3d (c10/core/MemoryFormat.h).
    """
    if len(shape) not in (4, 5) or strides[1] == 0:
        return False
    least = 0
    for d in (1, *range(len(shape) - 1, 1, -1), 0):
        if shape[d] == 0 or strides[d] < least or (d == 0 and least == strides[1]):
            return False
        least = strides[d] * max(int(shape[d]), 1)
    return True


def channels_last_strides(shape: Shape) -> Strides:
    """The strides of a fresh tensor with the channels innermost."""
    result, elements = [0] * len(shape), 1
    for d in (1, *range(len(shape) - 1, 1, -1), 0):
        result[d] = elements
        elements *= max(int(shape[d]), 1)
    return tuple(result)


def view_strides(shape: Shape, strides: Strides, new: Shape) -> Strides | None:
    """The strides of a view with another shape; None where it takes a copy."""
    return _view_strides(tuple(shape), strides, tuple(new))


@lru_cache(REMEMBERED)
def _view_strides(shape: tuple[int, ...], strides: Strides, new: tuple[int, ...]) -> Strides | None:
    if prod(map(int, shape)) == 0:
        return contiguous_strides(new)
    if not shape:
        return (1,) * len(new)
    result = [0] * len(new)
    at = len(new) - 1
    base = strides[-1]
    chunk = taken = 1
    for d in range(len(shape) - 1, -1, -1):
        chunk *= int(shape[d])
        # a chunk of dimensions that lie row by row ends here
        if d == 0 or (shape[d - 1] != 1 and strides[d - 1] != chunk * base):
            while at >= 0 and (taken < chunk or new[at] == 1):
                result[at] = taken * base
                taken *= int(new[at])
                at -= 1
            if taken != chunk:
                return None
            if d > 0:
                base, chunk, taken = strides[d - 1], 1, 1
    return tuple(result) if at == -1 else None


def output_strides(shape: Shape, operands: Sequence[Tensor], *, alike: bool = True) -> Strides:
    """The layout that TensorIterator gives a fresh result of elementwise operands.

    `alike`: there are no operands of other shapes beside these.
    """
    return _output_strides(
        tuple(shape), tuple([(tuple(operand.shape), operand.strides) for operand in operands]), alike
    )


@lru_cache(REMEMBERED)
def _output_strides(
    shape: tuple[int, ...], operands: tuple[tuple[tuple[int, ...], Strides], ...], alike: bool
) -> Strides:
    if alike and all(have == shape for have, _ in operands):
        if all(is_contiguous(shape, strides) for _, strides in operands):
            return contiguous_strides(shape)
        if len(shape) == 4 and all(_is_in_order(shape, strides, (1, 3, 2, 0)) for _, strides in operands):
            return channels_last_strides(shape)
        _, first = operands[0]
        if all(strides == first for _, strides in operands) and is_dense(shape, first):
            return first
    dims = len(shape)
    table = []
    for have, theirs in operands:
        missing = dims - len(have)
        table.append(
            [0] * missing
            + [
                0 if size == 1 and shape[missing + i] != 1 else stride
                for i, (size, stride) in enumerate(zip(have, theirs, strict=True))
            ]
        )

    def compare(a: int, b: int) -> int:
        for strides in table:
            if strides[a] == 0 or strides[b] == 0:
                continue
            if strides[a] != strides[b]:
                return -1 if strides[a] < strides[b] else 1
            if shape[a] > shape[b]:
                return 1
        return 0

    order = list(range(dims - 1, -1, -1))
    for i in range(1, dims):
        at = i
        for before in range(i - 1, -1, -1):
            verdict = compare(order[before], order[at])
            if verdict > 0:
                order[before], order[at] = order[at], order[before]
                at = before
            elif verdict < 0:
                break
    result, elements = [0] * dims, 1
    for d in order:
        result[d] = elements
        elements *= int(shape[d])
    return tuple(result)


def suggested_strides(shape: Shape, operands: Sequence[Tensor]) -> Strides:
    """The layout of a result that has the channels innermost where all its operands have."""
    if len(shape) in (4, 5) and all(is_channels_last(operand.shape, operand.strides) for operand in operands):
        return channels_last_strides(shape)
    return contiguous_strides(shape)
