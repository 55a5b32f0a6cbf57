"""Elements and dimensions in another order or form: flips, rolls, moved and removed dimensions, windows, triangles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.views import permute, reshape, sizes_of, transpose, view, viewing
from tttdit.core.symbolic.raw import axis, composite, dim_text, shape_text
from tttdit.core.symbolic.strides import contiguous_strides, suggested_strides
from tttdit.core.symbolic.tensor import Tensor


@known("torch.flip", "Tensor.flip")
def flip(input: Tensor, *dims: Any) -> Tensor:
    """A copy with these dimensions backwards; it keeps a dense layout."""
    order = [axis(input, dim) for dim in sizes_of(dims)]
    if len(set(order)) != len(order):
        raise SymbolicError(f"flip: a dimension appears twice in {tuple(sizes_of(dims))}")
    return viewing("Flip", input, raw.like("flip", input), lambda gradient: raw.like("flip", gradient))


@known("torch.fliplr", "Tensor.fliplr")
@composite("fliplr")
def fliplr(input: Tensor) -> Tensor:
    """Dimension 1 backwards."""
    return flip(input, 1)


@known("torch.flipud", "Tensor.flipud")
@composite("flipud")
def flipud(input: Tensor) -> Tensor:
    """Dimension 0 backwards."""
    return flip(input, 0)


@known("torch.roll", "Tensor.roll")
def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """A copy, shifted around."""
    moved = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    along = (dims,) if isinstance(dims, int) else tuple(dims or ())
    if (along and len(moved) != len(along)) or len(moved) > max(len(along), 1) or not moved:
        raise SymbolicError(f"roll: {len(moved)} shifts for {len(along)} dimensions")
    for dim in along:
        axis(input, dim)
    back = tuple(-shift for shift in moved)
    return viewing("Roll", input, _rolled(input, moved, along), lambda gradient: _rolled(gradient, back, along))


def _rolled(input: Tensor, shifts: Sequence[int], dims: Sequence[int]) -> Tensor:
    """Dimension after dimension is cut in two and put together again, with `cat`'s layout; without dimensions, row by row."""
    strides = input.strides if dims else contiguous_strides(input.shape)
    for shift, dim in zip(shifts, dims, strict=False):
        if not input.elements:
            break
        at = axis(input, dim)
        size = int(input.shape[at])
        first = -int(shift) % size
        pieces = [
            Tensor((*input.shape[:at], length, *input.shape[at + 1 :]), strides, input.dtype, input.storage)
            for length in (size - first, first)
        ]
        strides = suggested_strides(input.shape, pieces)
    return raw.dispatched("roll", raw.empty(input.shape, input.dtype, strides))


@known("torch.movedim", "Tensor.movedim", "torch.moveaxis", "Tensor.moveaxis")
@composite("movedim")
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Some dimensions at other places, the rest in their order."""
    froms = [axis(input, dim) for dim in ((source,) if isinstance(source, int) else source)]
    places = [axis(input, dim) for dim in ((destination,) if isinstance(destination, int) else destination)]
    if len(set(froms)) != len(froms) or len(set(places)) != len(places) or len(froms) != len(places):
        raise SymbolicError(f"movedim: {source} cannot be moved to {destination}")
    order: list[int | None] = [None] * input.ndim
    for dim, place in zip(froms, places, strict=True):
        order[place] = dim
    rest = iter(dim for dim in range(input.ndim) if dim not in froms)
    return permute(input, tuple(next(rest) if dim is None else dim for dim in order))


@known("torch.swapdims", "Tensor.swapdims")
@composite("swapdims")
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    return transpose(input, dim0, dim1)


@known("Tensor.view_as")
@composite("view_as")
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Another tensor's shape, without a copy."""
    return view(input, other.shape)


@known("Tensor.reshape_as")
@composite("reshape_as")
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Another tensor's shape."""
    return reshape(input, other.shape)


@known("Tensor.unfold")
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows over a dimension, as a view: their number takes its place, their elements come last."""
    at = axis(input, dimension)
    length = input.shape[at] if input.shape else 1
    if not input.shape:
        raise UnknownCall("Tensor.unfold", "of a tensor without dimensions")
    if size > length:
        raise ShapeMismatch(
            f"unfold: windows of {dim_text(size)} in dimension {at} of {shape_text(input.shape)}, which is {dim_text(length)}",
            size,
            length,
        )
    if step < 1:
        raise SymbolicError(f"unfold: step is {step}, and must be 1 at least")
    old, stride = input.shape, input.strides[at]
    rest = length - size
    count = (rest if rest % step == 0 else rest - rest % step) // step + 1
    out = raw.view(
        input,
        (*old[:at], count, *old[at + 1 :], size),
        (*input.strides[:at], stride * int(step), *input.strides[at + 1 :], stride),
        "unfold",
    )
    return viewing("Unfold", input, out, lambda gradient: raw.new("unfold_backward", old, gradient.dtype))


@known("torch.as_strided", "Tensor.as_strided")
def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """Any look at the memory; known where no gradient is recorded."""
    if wants_gradient(input):
        raise UnknownCall("torch.as_strided", "with a gradient")
    return raw.view(input, tuple(size), tuple(map(int, stride)), "as_strided", storage_offset)


@known("torch.tril", "Tensor.tril")
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """A contiguous copy with zeros above a diagonal."""
    return _triangle("tril", input)


@known("torch.triu", "Tensor.triu")
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """A contiguous copy with zeros below a diagonal."""
    return _triangle("triu", input)


def _triangle(name: str, input: Tensor) -> Tensor:
    if input.ndim < 2:
        raise ShapeMismatch(f"{name}: {shape_text(input.shape)} is no matrix")
    return viewing(
        name,
        input,
        raw.new(name, input.shape, input.dtype),
        lambda gradient: raw.new(name, gradient.shape, gradient.dtype),
    )
