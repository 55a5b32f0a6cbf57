"""Norms of vectors."""

from __future__ import annotations

from math import isinf
from typing import Any, NoReturn

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType, bool_, int64
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.reductions import reduced_dims, unsqueezed
from tttdit.core.symbolic.raw import composite
from tttdit.core.symbolic.tensor import Tensor


@known("torch.linalg.vector_norm")
def vector_norm(
    x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """The p-norm of vectors; keeps its input and itself."""
    if dtype is not None and dtype is not x.dtype:
        raise UnknownCall("torch.linalg.vector_norm", "with another dtype")
    dims = reduced_dims(x, dim)
    node = None
    if wants_gradient(x):
        if ord < 1:
            raise UnknownCall("torch.linalg.vector_norm", f"with a gradient and ord={ord}")
        backward_of = _NORM_BACKWARD[
            1 if ord == 1 else 2 if ord == 2 else "inf" if isinf(ord) else "<2" if ord < 2 else ">2"
        ]

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            result, kept = node.get("result"), node.get("x")
            if dim is not None:
                gradient = unsqueezed(gradient, dims, kept.ndim, keepdim)
                result = unsqueezed(result, dims, kept.ndim, keepdim)
            return [backward_of(gradient, kept, result, dims)]

        node = Node("LinalgVectorNorm", (x,), backward)
        node.save(x=x)
    out = raw.reduce("linalg_vector_norm", x, dims, keepdim=keepdim)
    if node:
        node.save_output(result=out)
        node.made(out)
    return out


def _norm_1_backward(gradient: Tensor, x: Tensor, norm: Tensor, dims: list[int]) -> Tensor:
    return raw.pointwise("mul", raw.pointwise("sgn", x), gradient)


def _norm_2_backward(gradient: Tensor, x: Tensor, norm: Tensor, dims: list[int]) -> Tensor:
    unit = raw.pointwise("div", x, norm)
    zero = raw.pointwise("eq", norm, dtype=bool_)
    raw.inplace("masked_fill_", unit)
    out = raw.pointwise("mul", gradient, unit)
    del zero
    return out


def _norm_inf_backward(gradient: Tensor, x: Tensor, norm: Tensor, dims: list[int]) -> Tensor:
    size = raw.pointwise("abs", x)
    mask = _largest(size, norm)
    count = raw.reduce("sum", mask, dims, keepdim=True, dtype=int64)
    share = raw.pointwise("div", gradient, count)
    spread = raw.pointwise("mul", share, mask)
    out = raw.pointwise("mul", raw.pointwise("sgn", x), spread)
    del count
    return out


def _largest(size: Tensor, norm: Tensor) -> Tensor:
    equal = raw.pointwise("eq", size, norm, dtype=bool_)
    missing = raw.pointwise("isnan", size, dtype=bool_)
    return raw.pointwise("logical_or", equal, missing, dtype=bool_)


def _norm_p_backward(gradient: Tensor, x: Tensor, norm: Tensor, dims: list[int], scaled: Tensor) -> Tensor:
    share = _share(gradient, norm)
    zero = raw.pointwise("eq", norm, dtype=bool_)
    raw.inplace("masked_fill_", share)
    del zero
    return raw.pointwise("mul", scaled, share)


def _share(gradient: Tensor, norm: Tensor) -> Tensor:
    return raw.pointwise("div", gradient, raw.pointwise("pow", norm))


def _norm_above_2_backward(gradient: Tensor, x: Tensor, norm: Tensor, dims: list[int]) -> Tensor:
    scaled = raw.pointwise("mul", x, raw.inplace("pow_", raw.pointwise("abs", x)))
    return _norm_p_backward(gradient, x, norm, dims, scaled)


def _norm_below_2_backward(gradient: Tensor, x: Tensor, norm: Tensor, dims: list[int]) -> Tensor:
    power = raw.inplace("pow_", raw.pointwise("abs", x))
    scaled = raw.pointwise("mul", raw.pointwise("sgn", x), power)
    del power
    return _norm_p_backward(gradient, x, norm, dims, scaled)


_NORM_BACKWARD = {
    1: _norm_1_backward,
    2: _norm_2_backward,
    "inf": _norm_inf_backward,
    "<2": _norm_below_2_backward,
    ">2": _norm_above_2_backward,
}


@known("torch.norm", "Tensor.norm")
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """The p-norm; "fro" is 2."""
    if p is None or (isinstance(p, str) and p != "fro"):
        raise UnknownCall("torch.norm", f"with p={p!r}")
    return vector_norm(input, 2 if p == "fro" else p, dim, keepdim, dtype=dtype)


@known("torch.linalg.norm")
@composite("linalg_norm")
def linalg_norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """The norm of vectors; of matrices only where the order is left out."""
    if ord is not None and (
        isinstance(ord, str) or (A.ndim != 1 if dim is None else not isinstance(dim, int) and len(dim) > 1)
    ):
        raise UnknownCall("torch.linalg.norm", f"of matrices with ord={ord!r}")
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


@known("torch.linalg.matrix_norm")
def matrix_norm(A: Tensor, *arguments: Any, **keywords: Any) -> NoReturn:
    """Takes singular values in general."""
    raise UnknownCall("torch.linalg.matrix_norm", "matrix norms are not traced; torch.linalg.vector_norm is")
