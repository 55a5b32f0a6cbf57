"""Raw operators: one dispatched aten operator each, without autograd.

Each makes its result (a fresh storage or a view) and lets the meter take its sample, as a dispatch mode on torch sees it: the operator
has returned, its arguments are still held by whoever called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from tttdit.core.errors import ShapeMismatch
from tttdit.core.symbolic import flops
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.dtype import DType, result_type
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Storage
from tttdit.core.symbolic.strides import (
    Shape,
    Strides,
    contiguous_strides,
    output_strides,
    suggested_strides,
    view_strides,
)
from tttdit.core.symbolic.tensor import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])

# -- results


def empty(shape: Iterable[int], dtype: DType, strides: Strides | None = None) -> Tensor:
    """Fresh memory; not an operator by itself."""
    shape = tuple(shape)
    return Tensor(shape, strides or contiguous_strides(shape), dtype, Storage(shape, dtype))


def dispatched(name: str, *results: Tensor) -> Tensor:
    """The operator of this name has returned these results; gives back the first."""
    meter = STATE.meter
    if meter is not None:
        meter.sample(name, results)
    return results[0]


def workspace(nbytes: int) -> None:
    """The operator that returns next holds so many bytes while it runs, beside its arguments and results."""
    if STATE.meter is not None:
        STATE.meter.workspace = nbytes


@contextmanager
def unlogged() -> Iterator[None]:
    """What runs inside is part of an operator: the meter counts what it leaves behind, but takes no samples."""
    meter = STATE.meter
    if meter is None:
        yield
        return
    before, meter.silent = meter.silent, True
    try:
        yield
    finally:
        meter.silent = before


def composite(name: str) -> Callable[[Function], Function]:
    """A function that aten composes of others.

    Usually each of those is an operator for the meter. In a custom operator's body the composition counts as one for a dispatch mode,
    and what it allocates for a moment is not seen; without a mode (`STATE.in_place`) it is counted all the same.
    """

    def wrap(function: Function) -> Function:
        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            meter = STATE.meter
            if not STATE.in_operator or meter is None or STATE.in_place:
                return function(*args, **kwargs)
            STATE.in_operator = False
            try:
                with unlogged():
                    result = function(*args, **kwargs)
            finally:
                STATE.in_operator = True
            meter.sample(name, [result] if isinstance(result, Tensor) else list(result))
            return result

        return called  # type: ignore[return-value]

    return wrap


# -- shapes


def broadcast(call: str, *shapes: Shape) -> tuple[int, ...]:
    """The common shape of elementwise operands. Raises ShapeMismatch with both sides' formulas."""
    dims = max(map(len, shapes))
    result: list[int] = [1] * dims
    for shape in shapes:
        for i, size in enumerate(reversed(tuple(shape))):
            at = dims - 1 - i
            have = result[at]
            if have == 1:
                result[at] = size
            elif size != 1 and size != have:
                raise ShapeMismatch(
                    f"{call}: {shape_text(shapes[0])} and {shape_text(shapes[-1])} do not fit in dimension {at}: "
                    f"{dim_text(have)} against {dim_text(size)}",
                    have,
                    size,
                )
            elif type(size) is Dim and type(have) is not Dim:
                result[at] = size  # the same number; keep the one that knows its formula
    return tuple(result)


def dim_text(size: int) -> str:
    """`F*h*w = 49,950`."""
    if isinstance(size, Dim) and size.formula.constant is None:
        return f"{size.formula} = {int(size):,}"
    return f"{int(size):,}"


def shape_text(shape: Shape) -> str:
    """`[B, F*h*w, 64]`."""
    return f"[{', '.join(str(size.formula) if isinstance(size, Dim) else str(size) for size in shape)}]"


def axis(tensor: Tensor, dim: int, extra: int = 0) -> int:
    """A dimension's number, counted from the front. Raises IndexError, as torch does."""
    dims = len(tensor.shape) + extra
    if not -max(dims, 1) <= dim < max(dims, 1):
        raise IndexError(f"dimension {dim} of a tensor of {dims} dimensions {shape_text(tensor.shape)}")
    return dim % dims if dims else 0


# -- elementwise

# Operators of two tensors. torch makes a number into one without dimensions, and lays the result out as for operands of two shapes.
PAIRS = frozenset(
    {
        "add", "sub", "rsub", "mul", "div", "remainder", "fmod", "floor_divide", "eq", "ne", "lt", "le", "gt", "ge", "bitwise_and",
        "bitwise_or", "bitwise_xor", "logical_and", "logical_or", "logical_xor", "atan2", "xlogy",
    }
)  # fmt: skip


def pointwise(name: str, *operands: Any, dtype: DType | None = None) -> Tensor:
    """A fresh result of elementwise operands; numbers count for the type only."""
    tensors = [operand for operand in operands if isinstance(operand, Tensor)]
    first = tensors[0]
    if len(tensors) == 1:
        shape: tuple[int, ...] = first.shape
    elif all(tensor.shape == first.shape for tensor in tensors):
        # equal sizes: take each from whoever knows its formula
        shape = first.shape if any(type(size) is Dim for size in first.shape) else tensors[1].shape
    else:
        shape = broadcast(name, *(tensor.shape for tensor in tensors))
    if dtype is None:
        dtype = result_type(*operands)
    strides = output_strides(shape, tensors, alike=len(tensors) > 1 or name not in PAIRS)
    return dispatched(name, empty(shape, dtype, strides))


def like(name: str, tensor: Tensor, dtype: DType | None = None) -> Tensor:
    """A fresh result with the tensor's layout where that is dense, as `empty_like` chooses."""
    dtype = dtype or tensor.dtype
    if tensor.is_dense():
        return dispatched(name, empty(tensor.shape, dtype, tensor.strides))
    return dispatched(name, empty(tensor.shape, dtype, output_strides(tensor.shape, [tensor])))


def new(name: str, shape: Iterable[int], dtype: DType) -> Tensor:
    """A fresh contiguous result."""
    return dispatched(name, empty(shape, dtype))


def inplace(name: str, target: Tensor) -> Tensor:
    """Something was written into the target's memory."""
    target.storage.version += 1
    return dispatched(name, target)


def onto(name: str, target: Tensor) -> Tensor:
    """What aten's own code writes into a fresh tensor of its own; out of place under a dispatch mode, where it avoids such changes.

    aten/src/ATen/TensorSubclassLikeUtils.h, `isTensorSubclassLike`: true of every tensor while a dispatch mode is in force.
    """
    return inplace(f"{name}_", target) if STATE.in_place else like(name, target)


# -- views


def part(tensor: Tensor, shape: Iterable[int], strides: Strides, offset: int, creation: str = "") -> Tensor:
    """Another look at the same memory; not an operator by itself.

    `creation` is "several" for one of the views of an operator that makes many (split, unbind): torch forbids to change those in
    place, as it does with views that were made under no_grad.
    """
    view = Tensor(
        shape, strides, tensor.dtype, tensor.storage, offset, tensor.base if tensor.base is not None else tensor
    )
    view.creation = (creation or tensor.creation) if STATE.grad_enabled else "no_grad"
    return view


def view(tensor: Tensor, shape: Iterable[int], strides: Strides, name: str, offset: int | None = None) -> Tensor:
    """Another look at the same memory."""
    return dispatched(name, part(tensor, shape, strides, tensor.offset if offset is None else offset))


def alias(tensor: Tensor) -> Tensor:
    """The same memory outside the graph, without an operator: what a saved output is kept as."""
    return tensor.same_memory()


def clone(tensor: Tensor, *, contiguous: bool = False) -> Tensor:
    """A copy; it keeps a dense layout unless told otherwise."""
    if contiguous:
        return dispatched("clone", empty(tensor.shape, tensor.dtype))
    return like("clone", tensor)


def reshape(tensor: Tensor, shape: Shape) -> Tensor:
    """A view where the layout allows it, else a copy. The shape is whole, without -1."""
    strides = view_strides(tensor.shape, tensor.strides, shape)
    if strides is not None:
        return view(tensor, shape, strides, "view")
    copy = view(clone(tensor, contiguous=True), shape, contiguous_strides(shape), "_unsafe_view")
    copy.base = None  # aten calls it unsafe because it is not known as a view
    return copy


def permute(tensor: Tensor, dims: Sequence[int], name: str = "permute") -> Tensor:
    """Dimensions in another order."""
    return _permuted(tensor, [axis(tensor, dim) for dim in dims], name)


def transpose(tensor: Tensor, first: int, second: int, name: str = "transpose") -> Tensor:
    """Two dimensions exchanged."""
    dims = list(range(tensor.ndim))
    a, b = axis(tensor, first), axis(tensor, second)
    if dims:
        dims[a], dims[b] = dims[b], dims[a]
    return _permuted(tensor, dims, name)


def _permuted(tensor: Tensor, dims: Sequence[int], name: str) -> Tensor:
    shape, strides = tuple(tensor.shape), tensor.strides
    return view(tensor, [shape[d] for d in dims], tuple([strides[d] for d in dims]), name)


def expand(tensor: Tensor, shape: Shape) -> Tensor:
    """Dimensions of 1 repeated without copying."""
    missing = len(shape) - tensor.ndim
    strides = [0] * missing
    for i, (size, stride) in enumerate(zip(tensor.shape, tensor.strides, strict=True)):
        wanted = shape[missing + i]
        if size != wanted and size != 1:
            raise ShapeMismatch(
                f"expand: {shape_text(tensor.shape)} to {shape_text(shape)}: {dim_text(size)} against {dim_text(wanted)}",
                size,
                wanted,
            )
        strides.append(stride if size == wanted else 0)
    return view(tensor, shape, tuple(strides), "expand")


def slice_(tensor: Tensor, dim: int, start: int, stop: int, step: int = 1, name: str = "slice") -> Tensor:
    """Elements start, start + step, ... of one dimension; 0 <= start <= stop <= size."""
    at = axis(tensor, dim)
    length = stop - start if step == 1 else -(-(stop - start) // step)
    strides = (
        tensor.strides if step == 1 else (*tensor.strides[:at], tensor.strides[at] * step, *tensor.strides[at + 1 :])
    )
    offset = tensor.offset + int(start) * tensor.strides[at]
    shape = tuple(tensor.shape)
    return view(tensor, (*shape[:at], length, *shape[at + 1 :]), strides, name, offset)


def select(tensor: Tensor, dim: int, index: int = 0) -> Tensor:
    """One element of a dimension, which goes away."""
    at = axis(tensor, dim)
    offset = tensor.offset + int(index) * tensor.strides[at]
    shape = tuple(tensor.shape)
    return view(tensor, shape[:at] + shape[at + 1 :], tensor.strides[:at] + tensor.strides[at + 1 :], "select", offset)


def unsqueeze(tensor: Tensor, dim: int) -> Tensor:
    """A dimension of 1 more."""
    at = axis(tensor, dim, extra=1)
    stride = int(tensor.shape[at]) * tensor.strides[at] if at < tensor.ndim else 1
    shape = (*tensor.shape[:at], 1, *tensor.shape[at:])
    return view(tensor, shape, (*tensor.strides[:at], stride, *tensor.strides[at:]), "unsqueeze")


def squeeze(tensor: Tensor, dims: Sequence[int]) -> Tensor:
    """These dimensions removed where they are 1."""
    kept = [i for i in range(tensor.ndim) if i not in dims or tensor.shape[i] != 1]
    return view(tensor, [tensor.shape[i] for i in kept], tuple(tensor.strides[i] for i in kept), "squeeze")


# -- reductions, products, casts


def reduce(name: str, tensor: Tensor, dims: Sequence[int], *, keepdim: bool, dtype: DType | None = None) -> Tensor:
    """A fresh result with these dimensions reduced."""
    shape = [1 if i in dims else size for i, size in enumerate(tensor.shape) if keepdim or i not in dims]
    return dispatched(name, empty(shape, dtype or tensor.dtype))


def broadcast_dims(shape: Shape, original: Shape) -> tuple[list[int], int]:
    """Which dimensions broadcasting had repeated, and how many of them it had put in front."""
    lead = len(shape) - len(original)
    repeated = [i for i in range(lead, len(shape)) if original[i - lead] == 1 and shape[i] != 1]
    return [*range(lead), *repeated], lead


def mm(left: Tensor, right: Tensor, name: str = "mm") -> Tensor:
    """The product of two matrices."""
    flops.work(flops.product, left.shape, right.shape)
    return dispatched(name, empty((left.shape[0], right.shape[1]), left.dtype))


def bmm(left: Tensor, right: Tensor, name: str = "bmm") -> Tensor:
    """Products of matrices, one for each of a batch."""
    flops.work(flops.product, left.shape, right.shape)
    return new(name, (left.shape[0], left.shape[1], right.shape[2]), left.dtype)


def cast(tensor: Tensor, dtype: DType) -> Tensor:
    """A copy in another type, or the tensor itself."""
    return tensor if tensor.dtype is dtype else like("_to_copy", tensor, dtype)


def cat(tensors: Sequence[Tensor], dim: int) -> Tensor:
    """Tensors end to end."""
    first = tensors[0]
    at = axis(first, dim)
    for other in tensors[1:]:
        if other.ndim != first.ndim:
            raise ShapeMismatch(
                f"cat: tensors of {first.ndim} and {other.ndim} dimensions: {shape_text(first.shape)}, {shape_text(other.shape)}"
            )
        for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True)):
            if i != at and a != b:
                raise ShapeMismatch(
                    f"cat along dimension {at}: {shape_text(first.shape)} and {shape_text(other.shape)} do not fit in dimension "
                    f"{i}: {dim_text(a)} against {dim_text(b)}",
                    a,
                    b,
                )
    length = sum((tensor.shape[at] for tensor in tensors[1:]), first.shape[at])
    dtype = result_type(*tensors)
    shape = (*first.shape[:at], length, *first.shape[at + 1 :])
    return dispatched("cat", empty(shape, dtype, suggested_strides(shape, tensors)))
