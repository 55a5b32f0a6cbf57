"""Views: other looks at the same memory. Backward of a view is a view of the gradient, or a copy where the layout asks for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.names import known, known_property
from tttdit.core.symbolic.raw import axis, composite
from tttdit.core.symbolic.strides import contiguous_strides, view_strides
from tttdit.core.symbolic.tensor import Size, Tensor


def sizes_of(given: Sequence[Any]) -> tuple[int, ...]:
    """The sizes of `x.view(2, 3)` and of `x.view((2, 3))`."""
    if len(given) == 1 and not isinstance(given[0], int):
        return tuple(given[0])
    return tuple(given)


def whole_shape(call: str, tensor: Tensor, shape: Sequence[int]) -> tuple[int, ...]:
    """The shape with its -1 filled in. Raises ShapeMismatch where the elements do not fit."""
    if -1 not in shape:
        if prod(map(int, shape)) != tensor.elements:
            total, wanted = Size(tensor.shape).numel(), Size(shape).numel()
            raise ShapeMismatch(
                f"{call}: {raw.shape_text(tensor.shape)} has {raw.dim_text(total)} elements, {raw.shape_text(shape)} would have "
                f"{raw.dim_text(wanted)}",
                total,
                wanted,
            )
        return tuple(shape)
    total, rest = Size(tensor.shape).numel(), Size(size for size in shape if size != -1).numel()
    if rest == 0 or int(total) % int(rest) or list(shape).count(-1) > 1:
        raise ShapeMismatch(
            f"{call}: {raw.shape_text(tensor.shape)} has {raw.dim_text(total)} elements, which {raw.dim_text(rest)}, the rest of "
            f"{raw.shape_text(shape)}, does not divide",
            total,
            rest,
        )
    return tuple(total // rest if size == -1 else size for size in shape)


def viewing(name: str, tensor: Tensor, out: Tensor, back: Callable[[Tensor], Tensor]) -> Tensor:
    """Puts a view into the graph; `back` makes the gradient from the view's."""
    if wants_gradient(tensor):
        Node(
            name, (tensor,), lambda node, gradients: [back(gradients[0])] if gradients[0] is not None else [None]
        ).made(out)
    return out


@known("Tensor.view")
def view(input: Tensor, *shape: Any, size: Sequence[int] | None = None) -> Tensor:
    """Another shape of the same memory. Raises ShapeMismatch where the layout does not allow it."""
    if any(isinstance(size, DType) for size in shape):
        raise UnknownCall("Tensor.view", "with a data type: what the bytes mean then is not followed")
    new = whole_shape("view", input, sizes_of(shape if size is None else size))
    strides = view_strides(input.shape, input.strides, new)
    if strides is None:
        raise ShapeMismatch(
            f"view: {raw.shape_text(input.shape)} with strides {input.strides} cannot be seen as {raw.shape_text(new)} without a copy; "
            "use reshape"
        )
    old = input.shape
    return viewing("View", input, raw.view(input, new, strides, "view"), lambda gradient: raw.reshape(gradient, old))


@known("torch.reshape", "Tensor.reshape")
@composite("reshape")
def reshape(input: Tensor, *sizes: Any, shape: Sequence[int] | None = None) -> Tensor:
    """Another shape: a view where the layout allows it, else a copy."""
    new, old = whole_shape("reshape", input, sizes_of(sizes if shape is None else shape)), input.shape
    strides = view_strides(input.shape, input.strides, new)
    if strides is not None:
        return viewing(
            "View", input, raw.view(input, new, strides, "view"), lambda gradient: raw.reshape(gradient, old)
        )
    copy = viewing("Clone", input, raw.clone(input, contiguous=True), lambda gradient: gradient)
    out = raw.view(copy, new, contiguous_strides(new), "_unsafe_view")
    out.base = None  # aten calls it unsafe because it is not known as a view: a change in place is a change of this tensor alone
    return viewing("UnsafeView", copy, out, lambda gradient: raw.reshape(gradient, old))


@known("torch.flatten", "Tensor.flatten")
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start ... end as one."""
    start, end = axis(input, start_dim), axis(input, end_dim)
    if start == end:
        return input
    return reshape(input, (*input.shape[:start], Size(input.shape[start : end + 1]).numel(), *input.shape[end + 1 :]))


@known("torch.unflatten", "Tensor.unflatten")
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension as several."""
    at = axis(input, dim)
    length = input.shape[at]
    known = prod(int(size) for size in sizes if size != -1)
    if int(length) % known if -1 in sizes else known != length:
        inside = Size(size for size in sizes if size != -1).numel()
        raise ShapeMismatch(
            f"unflatten: dimension {at} of {raw.shape_text(input.shape)} is {raw.dim_text(length)}, {raw.shape_text(sizes)} "
            f"makes {raw.dim_text(inside)}",
            length,
            inside,
        )
    whole = [length // Size(one for one in sizes if one != -1).numel() if size == -1 else size for size in sizes]
    return view(input, (*input.shape[:at], *whole, *input.shape[at + 1 :]))


@known("torch.transpose", "torch.swapaxes", "Tensor.transpose", "Tensor.swapaxes")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    return viewing(
        "Transpose", input, raw.transpose(input, dim0, dim1), lambda gradient: raw.transpose(gradient, dim0, dim1)
    )


@known("torch.t", "Tensor.t")
def t(input: Tensor) -> Tensor:
    """A matrix transposed."""
    return viewing("T", input, raw.transpose(input, 0, 1, "t"), lambda gradient: raw.transpose(gradient, 0, 1, "t"))


@known("torch.permute", "Tensor.permute")
def permute(input: Tensor, *order_of: Any, dims: Sequence[int] | None = None) -> Tensor:
    """Dimensions in another order."""
    wanted = sizes_of(order_of if dims is None else dims)
    order = [axis(input, dim) for dim in wanted]
    if sorted(order) != list(range(input.ndim)):
        raise ShapeMismatch(f"permute: {wanted} does not order the dimensions of {raw.shape_text(input.shape)}")
    back = [order.index(d) for d in range(len(order))]
    return viewing("Permute", input, raw.permute(input, order), lambda gradient: raw.permute(gradient, back))


@known("torch.unsqueeze", "Tensor.unsqueeze")
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A dimension of 1 more."""
    at = axis(input, dim, extra=1)
    return viewing("Unsqueeze", input, raw.unsqueeze(input, at), lambda gradient: raw.squeeze(gradient, [at]))


@known("torch.squeeze", "Tensor.squeeze")
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Dimensions of 1 removed: this one, these, or all."""
    dims = range(input.ndim) if dim is None else [axis(input, one) for one in sizes_of((dim,))]
    gone = [at for at in dims if input.ndim and input.shape[at] == 1]

    def back(gradient: Tensor) -> Tensor:
        for at in sorted(gone):
            gradient = raw.unsqueeze(gradient, at)
        return gradient

    return viewing("Squeeze", input, raw.squeeze(input, gone), back)


@known("Tensor.expand")
def expand(input: Tensor, *shape: Any) -> Tensor:
    """Dimensions of 1 repeated without copying; -1 keeps a size."""
    wanted = list(sizes_of(shape))
    missing = len(wanted) - input.ndim
    new = [input.shape[i - missing] if size == -1 and i >= missing else size for i, size in enumerate(wanted)]
    if not new:  # torch sums even what has one element and no dimensions
        return viewing(
            "Expand", input, raw.expand(input, new), lambda gradient: raw.reduce("sum", gradient, [], keepdim=False)
        )
    # the engine sums a gradient to the shape that it is for
    return viewing("Expand", input, raw.expand(input, new), lambda gradient: gradient)


@known("torch.select", "Tensor.select")
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One element of a dimension. Its backward makes a gradient of the whole size."""
    at = axis(input, dim)
    if not -input.shape[at] <= index < input.shape[at]:
        raise ShapeMismatch(
            f"index {index} is outside dimension {at} of {raw.shape_text(input.shape)}", input.shape[at], index
        )
    old = input.shape
    out = raw.select(input, at, index + input.shape[at] if index < 0 else index)
    return viewing("Select", input, out, lambda gradient: raw.new("select_backward", old, gradient.dtype))


@known("torch.narrow", "Tensor.narrow")
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` elements of a dimension."""
    at = axis(input, dim)
    if start < 0:
        start = start + input.shape[at]
    if start + length > input.shape[at]:
        raise ShapeMismatch(
            f"narrow: {raw.dim_text(start)} + {raw.dim_text(length)} is more than dimension {at} of {raw.shape_text(input.shape)}",
            start + length,
            input.shape[at],
        )
    return slice_(input, at, start, start + length)


def slice_(input: Tensor, dim: int, start: int, stop: int, step: int = 1) -> Tensor:
    """Elements start, start + step, ... below stop. Its backward makes a gradient of the whole size."""
    old = input.shape
    out = raw.slice_(input, dim, start, stop, step)
    return viewing("Slice", input, out, lambda gradient: raw.new("slice_backward", old, gradient.dtype))


@known("torch.split", "Tensor.split", "torch.split_with_sizes", "Tensor.split_with_sizes")
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of these sizes; their gradients come together in one cat."""
    at = axis(tensor, dim)
    length = tensor.shape[at]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        count = -(-int(length) // int(size))
        sections = [size] * (count - 1) + [length - size * (count - 1)]
        return _split(tensor, sections, at, "split")
    sections = list(split_size_or_sections)
    total = sum(sections[1:], sections[0])
    if total != length:
        raise ShapeMismatch(
            f"split: the parts are {raw.dim_text(total)} together, dimension {at} of {raw.shape_text(tensor.shape)} is "
            f"{raw.dim_text(length)}",
            length,
            total,
        )
    return _split(tensor, sections, at, "split_with_sizes")


@known("torch.chunk", "Tensor.chunk")
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """So many equal parts."""
    at = axis(input, dim)
    length = input.shape[at]
    size = length // chunks if length % chunks == 0 else -(-length // chunks)
    return split(input, size, at)


def _split(tensor: Tensor, sections: Sequence[int], at: int, name: str) -> tuple[Tensor, ...]:
    parts, offset = [], tensor.offset
    for size in sections:
        shape = (*tensor.shape[:at], size, *tensor.shape[at + 1 :])
        parts.append(raw.part(tensor, shape, tensor.strides, offset, "several"))
        offset += int(size) * tensor.strides[at]
    raw.dispatched(name, *parts)
    if wants_gradient(tensor):
        results = [(part.shape, part.dtype) for part in parts]

        def backward(node: Node, gradients: Gradients) -> Gradients:
            whole = [
                gradient if gradient is not None else raw.new("zeros", shape, dtype)
                for gradient, (shape, dtype) in zip(gradients, results, strict=True)
            ]
            return [raw.cat(whole, at)]

        Node("Split", (tensor,), backward).made(*parts)
    return tuple(parts)


@known("torch.unbind", "Tensor.unbind")
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Every element of a dimension; their gradients come together in one stack."""
    at = axis(input, dim)
    shape = (*input.shape[:at], *input.shape[at + 1 :])
    strides = input.strides[:at] + input.strides[at + 1 :]
    parts = [
        raw.part(input, shape, strides, input.offset + i * input.strides[at], "several") for i in range(input.shape[at])
    ]
    raw.dispatched("unbind", *parts)
    if wants_gradient(input):
        dtype = input.dtype

        def backward(node: Node, gradients: Gradients) -> Gradients:
            whole = [
                gradient if gradient is not None else raw.expand(raw.new("zeros", (), dtype), shape)
                for gradient in gradients
            ]
            return [raw.new("stack", (*shape[:at], len(whole), *shape[at:]), whole[0].dtype)]

        Node("Unbind", (input,), backward).made(*parts)
    return tuple(parts)


@known_property("Tensor.T")
def transposed(input: Tensor) -> Tensor:
    """A matrix transposed."""
    return permute(input, *range(input.ndim - 1, -1, -1)) if input.ndim != 2 else t(input)


@known_property("Tensor.mT")
def matrix_transposed(input: Tensor) -> Tensor:
    """The last two dimensions exchanged."""
    return transpose(input, -2, -1)


@known("Tensor.size")
def size(input: Tensor, dim: int | None = None) -> Any:
    """The shape, or one dimension of it."""
    return input.shape if dim is None else input.shape[axis(input, dim)]


@known("torch.numel", "Tensor.numel", "Tensor.nelement")
def numel(input: Tensor) -> int:
    """The number of elements."""
    return Size(input.shape).numel()


@known("Tensor.dim", "Tensor.ndimension")
def dim(input: Tensor) -> int:
    """How many dimensions."""
    return input.ndim


@known("Tensor.stride")
def stride(input: Tensor, dim: int | None = None) -> Any:
    """The strides, in elements."""
    return input.strides if dim is None else input.strides[axis(input, dim)]


@known("Tensor.data_ptr")
def data_ptr(input: Tensor) -> int:
    """Tells storages apart."""
    return id(input.storage)
