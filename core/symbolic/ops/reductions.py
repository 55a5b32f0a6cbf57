"""Sums, means and products over dimensions, and what is true of all or of any elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType, bool_, int64, uint8
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.raw import axis, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Size, Tensor


def reduced_dims(tensor: Tensor, dim: Any) -> list[int]:
    """The dimensions that `dim=None`, `dim=-1` or `dim=(0, 1)` name."""
    if dim is None or (not isinstance(dim, int) and not len(dim)):
        return list(range(tensor.ndim))
    return [axis(tensor, dim)] if isinstance(dim, int) else [axis(tensor, one) for one in dim]


def unsqueezed(tensor: Tensor, dims: Sequence[int], size: int, keepdim: bool) -> Tensor:
    """A reduced tensor with its dimensions back, as 1: views only."""
    if not keepdim and size:
        for at in sorted(dims):
            tensor = raw.unsqueeze(tensor, at)
    return tensor


def unreduced(gradient: Tensor, dims: Sequence[int], shape: Sequence[int], keepdim: bool) -> Tensor:
    """A reduced gradient spread over the whole shape again: views only."""
    return raw.expand(unsqueezed(gradient, dims, len(shape), keepdim), shape)


@known("torch.sum", "Tensor.sum")
def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """The sum; keeps nothing."""
    dims = reduced_dims(input, dim)
    whole = len(dims) == input.ndim and (dim is None or (not isinstance(dim, int) and not len(dim)))
    out_type = dtype or (input.dtype if input.dtype.is_floating_point else int64)
    out = raw.reduce("sum", input, dims, keepdim=keepdim, dtype=out_type)
    if wants_gradient(input):
        shape = input.shape

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            return [raw.expand(gradient, shape) if whole else unreduced(gradient, dims, shape, keepdim)]

        Node("Sum", (input,), backward).made(out)
    return out


@known("torch.mean", "Tensor.mean")
def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """The mean; keeps nothing. Its backward makes a gradient of the whole size."""
    if not (dtype or input.dtype).is_floating_point:
        raise SymbolicError(f"mean: {shape_text(input.shape)} is of {dtype or input.dtype}; torch wants floating point")
    dims = reduced_dims(input, dim)
    whole = len(dims) == input.ndim and (dim is None or (not isinstance(dim, int) and not len(dim)))
    out = raw.reduce("mean", input, dims, keepdim=keepdim, dtype=dtype)
    if wants_gradient(input):
        shape = input.shape

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            spread = raw.expand(gradient, shape) if whole else unreduced(gradient, dims, shape, keepdim)
            return [raw.pointwise("div", spread)]

        Node("Mean", (input,), backward).made(out)
    return out


@known("torch.prod", "Tensor.prod")
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """The product; keeps its input and itself. Its backward makes seven tensors of the input's size."""
    if dim is not None and not isinstance(dim, int):
        raise UnknownCall("torch.prod", "over several dimensions; torch takes one")
    dims = reduced_dims(input, dim)
    node = None
    if wants_gradient(input):
        if dtype is not None and dtype is not input.dtype:
            raise UnknownCall("torch.prod", "with a gradient and another dtype")

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept, result = node.get("input"), node.get("result")
            if dim is not None:
                if kept.ndim and not keepdim:
                    gradient, result = raw.unsqueeze(gradient, dims[0]), raw.unsqueeze(result, dims[0])
                if STATE.in_place:
                    return [_quotients(gradient, kept, result, dims)]
                return [_prod_backward(gradient, kept, dims[0])]
            if not kept.ndim:
                return [gradient]
            if STATE.in_place:
                return [_quotients(gradient, kept, result)]
            if not kept.is_contiguous():
                copy = raw.clone(kept, contiguous=True)
                flat = raw.view(copy, (Size(kept.shape).numel(),), (1,), "view")
                del copy
            else:
                flat = raw.view(kept, (Size(kept.shape).numel(),), (1,), "view")
            made = _prod_backward(gradient, flat, 0)
            return [raw.reshape(made, kept.shape)]

        node = Node("Prod", (input,), backward)
        node.save(input=input)
    out_type = dtype or (input.dtype if input.dtype.is_floating_point else int64)
    out = raw.reduce("prod", input, dims, keepdim=keepdim, dtype=out_type)
    if node:
        node.save_output(result=out)
        node.made(out)
    return out


def _quotients(gradient: Tensor, input: Tensor, result: Tensor, dims: Sequence[int] = ()) -> Tensor:
    """gradient (result / input): what torch takes where it has looked, and no element is 0, as no element is here.

    torch/csrc/autograd/FunctionsManual.cpp, `prod_backward`; with a dispatch mode in force it does not look.
    """
    zeros: Any = raw.pointwise("eq", input, dtype=bool_)
    if dims:
        by_row = raw.reduce("sum", zeros, dims, keepdim=True, dtype=int64)
        raw.reduce("sum", by_row, range(input.ndim), keepdim=False)
        looked: Any = (zeros, by_row)
    else:
        looked = raw.new("nonzero", (0, input.ndim), int64)
    zeros = None
    made = raw.pointwise("mul", gradient, raw.pointwise("div", result, input))
    del looked
    return made


def _prod_backward(gradient: Tensor, input: Tensor, at: int) -> Tensor:
    """The gradient times the product of all others, made of running products from both ends."""
    length = input.shape[at]
    if length == 1:
        return gradient
    ones = raw.new("ones", (*input.shape[:at], 1, *input.shape[at + 1 :]), gradient.dtype)
    before = raw.cat([ones, raw.slice_(input, at, 0, length - 1)], at)
    before_product = raw.new("cumprod", before.shape, before.dtype)
    rest = raw.like("flip", raw.slice_(input, at, 1, length))
    after = raw.cat([ones, rest], at)
    del ones, rest
    after_product = raw.like("flip", raw.new("cumprod", after.shape, after.dtype))
    return raw.pointwise("mul", gradient, raw.pointwise("mul", before_product, after_product))


def _truth(name: str) -> Any:
    def truth(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        dims = reduced_dims(input, dim)
        return raw.reduce(name, input, dims, keepdim=keepdim, dtype=uint8 if input.dtype is uint8 else bool_)

    truth.__name__ = name
    truth.__doc__ = f"Whether {name} of the elements are true; no gradient flows through it."
    return known(f"torch.{name}", f"Tensor.{name}")(truth)


any = _truth("any")
all = _truth("all")
