"""Products of matrices, and linear layers."""

from __future__ import annotations

from collections.abc import Sequence

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.arithmetic import add, add_
from tttdit.core.symbolic.ops.copies import contiguous
from tttdit.core.symbolic.ops.vectors import dot, mv
from tttdit.core.symbolic.ops.views import expand, matrix_transposed, reshape, squeeze, t, unsqueeze, view, viewing
from tttdit.core.symbolic.raw import composite, dim_text, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.strides import contiguous_strides
from tttdit.core.symbolic.tensor import Size, Tensor


def _check_inner(call: str, left: Tensor, right: Tensor, left_dim: int, right_dim: int) -> None:
    a, b = left.shape[left_dim], right.shape[right_dim]
    if a != b:
        raise ShapeMismatch(
            f"{call}: {shape_text(left.shape)} and {shape_text(right.shape)} do not fit: {dim_text(a)} against {dim_text(b)}",
            a,
            b,
        )


def _check_type(call: str, left: Tensor, *others: Tensor | None) -> None:
    for other in others:
        if other is not None and other.dtype is not left.dtype:
            raise ShapeMismatch(f"{call}: operands of {left.dtype} and {other.dtype}; torch wants one type")


@known("torch.mm", "Tensor.mm")
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices."""
    _check_inner("mm", input, mat2, 1, 0)
    _check_type("mm", input, mat2)
    node = None
    if wants_gradient(input, mat2):
        left_strides, right_strides = input.strides, mat2.strides

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            for_left = for_right = None
            right = node.get("mat2") if node.wants(0) else None
            left = node.get("input") if node.wants(1) else None
            if left is not None:
                for_right = gradient_of_right(gradient, left, right_strides)
            if right is not None:
                for_left = gradient_of_left(gradient, right, left_strides)
            return [for_left, for_right]

        node = Node("Mm", (input, mat2), backward)
        if node.wants(1):
            node.save(input=input)
        if node.wants(0):
            node.save(mat2=mat2)
    out = raw.mm(input, mat2)
    return node.made(out) if node else out


def gradient_of_left(gradient: Tensor, right: Tensor, strides: Sequence[int]) -> Tensor:
    """gradient right', laid out by columns where the left matrix is."""
    if _by_columns(strides, gradient.shape[0]):
        return raw.transpose(raw.mm(right, raw.transpose(gradient, 0, 1, "t")), 0, 1, "t")
    return raw.mm(gradient, raw.transpose(right, 0, 1, "t"))


def gradient_of_right(gradient: Tensor, left: Tensor, strides: Sequence[int]) -> Tensor:
    """left' gradient, laid out by columns where the right matrix is."""
    if _by_columns(strides, left.shape[1]):
        return raw.transpose(raw.mm(raw.transpose(gradient, 0, 1, "t"), left), 0, 1, "t")
    return raw.mm(raw.transpose(left, 0, 1, "t"), gradient)


def _by_columns(strides: Sequence[int], rows: int) -> bool:
    return strides[0] == 1 and strides[1] == rows


@known("torch.addmm", "Tensor.addmm")
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`beta input + alpha mat1 mat2`."""
    _check_inner("addmm", mat1, mat2, 1, 0)
    _check_type("addmm", mat1, mat2, input)
    node = None
    if wants_gradient(input, mat1, mat2):
        left_strides, right_strides = mat1.strides, mat2.strides

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            for_left = for_right = None
            left = node.get("mat1") if node.wants(2) else None
            right = node.get("mat2") if node.wants(1) else None
            if right is not None:
                for_left = _scaled(gradient_of_left(gradient, right, left_strides), alpha)
            if left is not None:
                for_right = _scaled(gradient_of_right(gradient, left, right_strides), alpha)
            return [_scaled(gradient, beta) if node.wants(0) else None, for_left, for_right]

        node = Node("Addmm", (input, mat1, mat2), backward)
        if node.wants(2):
            node.save(mat1=mat1)
        if node.wants(1):
            node.save(mat2=mat2)
    out = raw.mm(mat1, mat2, "addmm")
    return node.made(out) if node else out


def _scaled(tensor: Tensor, factor: float) -> Tensor:
    """Times a number, unless that is 1."""
    return tensor if factor == 1 else raw.pointwise("mul", tensor)


@known("torch.bmm", "Tensor.bmm")
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of matrices, one a batch."""
    _check_inner("bmm", input, mat2, 0, 0)
    _check_inner("bmm", input, mat2, 2, 1)
    _check_type("bmm", input, mat2)
    node = None
    if wants_gradient(input, mat2):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            for_left = for_right = None
            right = node.get("mat2") if node.wants(0) else None
            left = node.get("input") if node.wants(1) else None
            if left is not None:
                for_right = raw.bmm(raw.transpose(left, 1, 2), gradient)
            if right is not None:
                for_left = raw.bmm(gradient, raw.transpose(right, 1, 2))
            return [for_left, for_right]

        node = Node("Bmm", (input, mat2), backward)
        if node.wants(1):
            node.save(input=input)
        if node.wants(0):
            node.save(mat2=mat2)
    out = raw.bmm(input, mat2)
    return node.made(out) if node else out


@known("torch.matmul", "Tensor.matmul", "Tensor.__matmul__")
@composite("matmul")
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product, as aten composes it of mm and bmm."""
    if not input.shape or not other.shape:
        raise ShapeMismatch(
            f"matmul: {shape_text(input.shape)} and {shape_text(other.shape)}; torch wants at least 1 dimension each"
        )
    _check_inner("matmul", input, other, -1, max(-2, -other.ndim))
    _check_type("matmul", input, other)
    if input.ndim <= 2 and other.ndim <= 2:
        return _small(input, other)
    if _folds(input, other):
        left_larger = input.ndim >= other.ndim
        large = input if left_larger else matrix_transposed(other)
        small = other if left_larger else t(input) if input.ndim == 2 else input
        folded = reshape(large, Size(large.shape[:-1]).numel(), large.shape[-1])  # a copy of it lives to the end
        if small.ndim == 1:
            return _unsafe_view(mv(folded, small), large.shape[:-1])
        out = _unsafe_view(mm(folded, small), (*large.shape[:-1], small.shape[-1]))
        return out if left_larger else contiguous(matrix_transposed(out))
    # rather than repeat a single matrix for each of a batch, aten folds; of one that needs no gradient, too, under a dispatch mode
    if input.ndim == 3 and other.ndim == 3 and input.shape[0] != other.shape[0]:
        if input.shape[0] == 1 and (input.requires_grad or not STATE.in_place):
            return matmul(squeeze(input, 0), other)
        if other.shape[0] == 1 and (other.requires_grad or not STATE.in_place):
            return matmul(input, squeeze(other, 0))
    lead = raw.broadcast("matmul", input.shape[:-2], other.shape[:-2])
    batch = Size(lead).numel()
    rows = input.shape[-2:] if input.ndim > 1 else (1, input.shape[0])
    left = reshape(expand(input, *lead, *rows), batch, *rows)
    if other.ndim == 1:
        vector = unsqueeze(reshape(expand(other, *lead, other.shape[0]), batch, other.shape[0]), 2)
        return _unsafe_view(squeeze(bmm(left, vector), -1), (*lead, rows[0]))
    right = reshape(expand(other, *lead, *other.shape[-2:]), batch, *other.shape[-2:])
    return _unsafe_view(bmm(left, right), (*lead, *((rows[0],) if input.ndim > 1 else ()), other.shape[-1]))


def _small(left: Tensor, right: Tensor) -> Tensor:
    """The product of vectors and matrices."""
    if right.ndim == 1:
        return dot(left, right) if left.ndim == 1 else mv(left, right)
    if left.ndim == 2:
        return mm(left, right)
    row = mm(unsqueeze(left, 0), right)
    out = raw.dispatched("squeeze_", Tensor(row.shape[1:], row.strides[1:], row.dtype, row.storage, row.offset))
    return viewing("Squeeze", row, out, lambda gradient: raw.unsqueeze(gradient, 0))


def _folds(left: Tensor, right: Tensor) -> bool:
    """Whether matmul folds the batch into the rows (aten/src/ATen/native/LinearAlgebra.cpp, should_fold)."""
    left_larger = left.ndim >= right.ndim
    large, small = (left, right) if left_larger else (matrix_transposed(right), left)
    if large.ndim < 3 or small.ndim > 2:
        return False
    if small.requires_grad:
        return True  # a copy of the large one is less than the large gradient that bmm would make for the small one
    if left.ndim == 2:
        return False
    strides, shape = large.strides, large.shape
    return all(strides[i] == strides[i + 1] * shape[i + 1] for i in range(large.ndim - 2))


def _unsafe_view(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    old = tensor.shape
    out = raw.view(tensor, shape, contiguous_strides(shape), "_unsafe_view")
    out.base = None  # aten calls it unsafe because it is not known as a view
    return viewing("UnsafeView", tensor, out, lambda gradient: raw.reshape(gradient, old))


@known("F.linear")
@composite("linear")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`x W' + b`. Keeps x if the weight wants a gradient, the weight if x does; never the output."""
    if not input.shape or weight.ndim != 2:
        raise UnknownCall("F.linear", f"of {shape_text(input.shape)} with a weight {shape_text(weight.shape)}")
    _check_inner("linear", input, weight, -1, -1)
    _check_type("linear", input, weight, bias)
    if bias is None:
        return matmul(input, t(weight))
    if input.ndim == 2:
        return addmm(bias, input, t(weight))
    if input.is_contiguous():
        rows = Size(input.shape[:-1]).numel()
        flat = view(input, rows, input.shape[-1])
        return view(addmm(bias, flat, t(weight)), *input.shape[:-1], weight.shape[0])
    product = matmul(input, t(weight))
    return add_(product, bias) if STATE.in_place else add(product, bias)
