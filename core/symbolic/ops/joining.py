"""Tensors put together."""

from __future__ import annotations

from collections.abc import Sequence

from tttdit.core.errors import ShapeMismatch
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import result_type
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.views import unsqueeze, view
from tttdit.core.symbolic.raw import axis, composite, shape_text
from tttdit.core.symbolic.strides import Shape, Strides, suggested_strides, view_strides
from tttdit.core.symbolic.tensor import Tensor


@known("torch.cat", "torch.concat", "torch.concatenate")
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """End to end. The gradients are views of the result's, which keep it alive."""
    tensors = list(tensors)
    at = axis(tensors[0], dim)
    out = raw.cat(tensors, at)
    if wants_gradient(*tensors):
        sizes = [tensor.shape[at] for tensor in tensors]

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            made: Gradients = []
            start = 0
            for size in sizes:  # for all, wanted or not
                made.append(raw.slice_(gradient, at, start, start + size))
                start = start + size
            return made

        Node("Cat", tensors, backward).made(out)
    return out


@known("torch.stack")
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Side by side along a new dimension."""
    tensors = list(tensors)
    first = tensors[0]
    at = axis(first, dim, extra=1)
    for other in tensors[1:]:
        if other.shape != first.shape:
            different = next(((a, b) for a, b in zip(first.shape, other.shape, strict=False) if a != b), (None, None))
            raise ShapeMismatch(
                f"stack: {shape_text(first.shape)} and {shape_text(other.shape)} are not of one shape", *different
            )
    count = len(tensors)
    shape = (*first.shape[:at], count, *first.shape[at:])
    out = raw.dispatched("stack", raw.empty(shape, result_type(*tensors), _stacked_strides(tensors, at, shape)))
    if wants_gradient(*tensors):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            return [raw.select(gradient, at, index) for index in range(count)]

        Node("Stack", tensors, backward).made(out)
    return out


def _stacked_strides(tensors: Sequence[Tensor], at: int, shape: Shape) -> Strides | None:
    """The layout of a `cat` along the dimension, which is then split in two."""
    first = tensors[0]
    if at == first.ndim:
        columns = [Tensor((*each.shape, 1), (*each.strides, 1), each.dtype, each.storage) for each in tensors]
        return suggested_strides(shape, columns)
    joined = (*first.shape[:at], len(tensors) * first.shape[at], *first.shape[at + 1 :])
    return view_strides(joined, suggested_strides(joined, tensors), shape)


@known("torch.hstack")
@composite("hstack")
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Side by side: along columns, or along the only dimension."""
    parts = [at_least(tensor, 1) for tensor in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


@known("torch.vstack", "torch.row_stack")
@composite("vstack")
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """On top of each other; vectors are rows."""
    return cat([at_least(tensor, 2) for tensor in tensors], 0)


@known("torch.dstack")
@composite("dstack")
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Along a third dimension."""
    return cat([at_least(tensor, 3) for tensor in tensors], 2)


def at_least(tensor: Tensor, dims: int) -> Tensor:
    """With so many dimensions: a vector is a row, a matrix has one channel."""
    if tensor.ndim >= dims:
        return tensor
    if not tensor.shape:
        return view(tensor, (1,) * dims)
    if tensor.ndim == 1 and dims > 1:
        tensor = unsqueeze(tensor, 0)
    return unsqueeze(tensor, 2) if dims == 3 else tensor
