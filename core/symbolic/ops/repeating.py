"""Tensors made larger: by repeating elements, by broadcasting, by padding their edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.views import expand, flatten, sizes_of, unsqueeze, viewing
from tttdit.core.symbolic.raw import axis, composite, dim_text, shape_text
from tttdit.core.symbolic.strides import Shape, suggested_strides
from tttdit.core.symbolic.tensor import Size, Tensor


@known("Tensor.repeat")
def repeat(input: Tensor, *sizes: Any) -> Tensor:
    """So many copies along each dimension, contiguous; keeps nothing."""
    repeats = sizes_of(sizes)
    lead = len(repeats) - input.ndim
    if lead < 0:
        raise ShapeMismatch(
            f"repeat: {shape_text(repeats)} has fewer numbers than {shape_text(input.shape)} has dimensions"
        )
    old = input.shape
    shape = [*repeats[:lead], *(size * count for size, count in zip(old, repeats[lead:], strict=True))]
    out = raw.new("repeat", shape, input.dtype)
    if 0 in repeats and wants_gradient(input):
        raise UnknownCall("Tensor.repeat", "no times with a gradient")
    return viewing("Repeat", input, out, lambda gradient: _unrepeated(gradient, repeats, old))


def _unrepeated(gradient: Tensor, repeats: Shape, shape: Size) -> Tensor:
    """The sum over the copies: new dimensions in front one by one, all others in one reduction."""
    lead = len(repeats) - len(shape)
    for _ in range(lead):
        gradient = raw.reduce("sum", gradient, [0], keepdim=False)
    split: list[int] = []
    dims: list[int] = []
    for count, size in zip(repeats[lead:], shape, strict=True):
        if count != 1:
            dims.append(len(split))
            split.append(count)
        split.append(size)
    return raw.reduce("sum", raw.reshape(gradient, split), dims, keepdim=False) if dims else gradient


@known("torch.tile", "Tensor.tile")
@composite("tile")
def tile(input: Tensor, *dims: Any) -> Tensor:
    """`repeat`; missing numbers in front are 1, missing dimensions too."""
    counts = sizes_of(dims)
    return repeat(input, (*(1,) * (input.ndim - len(counts)), *counts))


@known("torch.repeat_interleave", "Tensor.repeat_interleave")
@composite("repeat_interleave")
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each element so many times in a row."""
    if not isinstance(repeats, int):
        raise UnknownCall(
            "torch.repeat_interleave", "with a tensor of counts: the length of its result depends on data"
        )
    if output_size is not None:
        raise UnknownCall("torch.repeat_interleave", "with output_size")
    if dim is None:
        input, dim = flatten(input), 0
    at = axis(input, dim)
    repeated = unsqueeze(input, at + 1)
    repeated = expand(repeated, (*input.shape[: at + 1], repeats, *input.shape[at + 1 :]))
    repeated = viewing("Clone", repeated, raw.clone(repeated, contiguous=True), lambda gradient: gradient)
    return flatten(repeated, at, at + 1)


@known("torch.broadcast_to", "Tensor.broadcast_to")
@composite("broadcast_to")
def broadcast_to(input: Tensor, *size: Any) -> Tensor:
    """Dimensions of 1 repeated without copying."""
    return expand(input, *size)


@known("Tensor.expand_as")
@composite("expand_as")
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to another tensor's shape."""
    return expand(input, other.shape)


def expand_to(input: Tensor, shape: Shape) -> Tensor:
    """Expanded to a shape that broadcasting gave."""
    return expand(input, tuple(shape))


@known("torch.broadcast_tensors")
@composite("broadcast_tensors")
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All in their common shape. Those that have it already stay as they are."""
    given = tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors
    shape = raw.broadcast("broadcast_tensors", *(tensor.shape for tensor in given))
    return tuple(tensor if tensor.shape == shape else expand(tensor, shape) for tensor in given)


@known("torch.broadcast_shapes")
def broadcast_shapes(*shapes: Any) -> Size:
    """The common shape."""
    return Size(
        raw.broadcast("broadcast_shapes", *((each,) if isinstance(each, int) else tuple(each) for each in shapes))
    )


@known("F.pad")
@composite("pad")
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """A number around the tensor, counted from the last dimension; negative widths cut off. Keeps nothing."""
    if mode != "constant":
        raise UnknownCall("F.pad", f'with mode = "{mode}"; "constant" is known')
    widths = tuple(pad)
    if len(widths) % 2 or len(widths) > 2 * input.ndim:
        raise ShapeMismatch(f"pad: {len(widths)} widths {shape_text(widths)} for {shape_text(input.shape)}")
    back = tuple(-width for width in widths)
    return viewing("ConstantPadNd", input, _padded(input, widths), lambda gradient: _padded(gradient, back))


def _padded(input: Tensor, widths: Shape) -> Tensor:
    """`constant_pad_nd`: channels stay last; what is only cut is a clone of the piece, which keeps a dense layout."""
    shape = list(input.shape)
    for pair in range(len(widths) // 2):
        at = input.ndim - 1 - pair
        shape[at] = shape[at] + widths[2 * pair] + widths[2 * pair + 1]
        if shape[at] < 0:
            raise ShapeMismatch(
                f"pad: dimension {at} of {shape_text(input.shape)}, {dim_text(input.shape[at])}, would become {dim_text(shape[at])}",
                input.shape[at],
            )
    if all(width <= 0 for width in widths):
        piece = Tensor(shape, input.strides, input.dtype, input.storage)
        return raw.like("constant_pad_nd", piece)
    return raw.dispatched("constant_pad_nd", raw.empty(shape, input.dtype, suggested_strides(shape, [input])))
