"""Copies, casts, and tensors outside the graph."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.views import viewing
from tttdit.core.symbolic.raw import composite
from tttdit.core.symbolic.tensor import Tensor


@known("torch.clone", "Tensor.clone")
def clone(input: Tensor) -> Tensor:
    """A copy."""
    return viewing("Clone", input, raw.clone(input), lambda gradient: gradient)


@known("Tensor.contiguous")
@composite("contiguous")
def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if it lies row by row, else a copy that does."""
    if input.is_contiguous():
        return input
    return viewing("Clone", input, raw.clone(input, contiguous=True), lambda gradient: gradient)


@known("torch.detach", "Tensor.detach")
def detach(input: Tensor) -> Tensor:
    """The same memory outside the graph."""
    return raw.dispatched("detach", raw.alias(input))


@known("Tensor.to")
@composite("to")
def to(
    input: Tensor,
    *target: Any,
    dtype: DType | None = None,
    device: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
) -> Tensor:
    """The tensor in another type; devices are all one here."""
    for each in target:
        if isinstance(each, DType):
            dtype = each
        elif isinstance(each, Tensor):
            dtype = each.dtype
        elif isinstance(each, bool):
            continue
    if copy:
        raise UnknownCall("Tensor.to", "with copy=True")
    if dtype is None or dtype is input.dtype:
        return input
    old, new = input.dtype, dtype
    out = raw.cast(input, new)
    return viewing("ToCopy", input, out, lambda gradient: raw.cast(gradient, old)) if new.is_floating_point else out


@known("Tensor.float")
def as_float(input: Tensor) -> Tensor:
    """In float32."""
    return to(input, types.float32)


@known("Tensor.double")
def as_double(input: Tensor) -> Tensor:
    """In float64."""
    return to(input, types.float64)


@known("Tensor.bfloat16")
def as_bfloat16(input: Tensor) -> Tensor:
    """In bfloat16."""
    return to(input, types.bfloat16)


@known("Tensor.half")
def as_half(input: Tensor) -> Tensor:
    """In float16."""
    return to(input, types.float16)


@known("Tensor.long")
def as_long(input: Tensor) -> Tensor:
    """In int64."""
    return to(input, types.int64)


@known("Tensor.type_as")
def type_as(input: Tensor, other: Tensor) -> Tensor:
    """In the other one's type."""
    return to(input, other.dtype)
