"""Products with vectors: matrix times vector, inner and outer products."""

from __future__ import annotations

from tttdit.core.errors import ShapeMismatch
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.arithmetic import mul
from tttdit.core.symbolic.ops.views import reshape
from tttdit.core.symbolic.raw import composite, dim_text, shape_text
from tttdit.core.symbolic.tensor import Tensor


def _check(call: str, left: Tensor, right: Tensor, dims: tuple[int, int]) -> None:
    if (left.ndim, right.ndim) != dims:
        raise ShapeMismatch(
            f"{call}: tensors of {dims[0]} and {dims[1]} dimensions are wanted, got {shape_text(left.shape)} and "
            f"{shape_text(right.shape)}"
        )
    a, b = left.shape[-1], right.shape[0]
    if a != b:
        raise ShapeMismatch(
            f"{call}: {shape_text(left.shape)} and {shape_text(right.shape)} do not fit: {dim_text(a)} against {dim_text(b)}",
            a,
            b,
        )
    if left.dtype is not right.dtype:
        raise ShapeMismatch(f"{call}: operands of {left.dtype} and {right.dtype}; torch wants one type")


@known("torch.mv", "Tensor.mv")
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix times a vector; keeps each if the other wants a gradient."""
    _check("mv", input, vec, (2, 1))
    node = None
    if wants_gradient(input, vec):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept_vec = node.get("vec") if node.wants(0) else None
            kept = node.get("input") if node.wants(1) else None
            for_matrix = for_vector = None
            if kept_vec is not None:
                column = raw.reshape(gradient, (gradient.shape[0], 1))
                for_matrix = raw.pointwise("mul", column, kept_vec)
                del column
            if kept is not None:
                for_vector = raw.new("mv", (kept.shape[1],), _transposed(kept).dtype)
            return [for_matrix, for_vector]

        node = Node("Mv", (input, vec), backward)
        if node.wants(1):
            node.save(input=input)
        if node.wants(0):
            node.save(vec=vec)
    out = raw.new("mv", (input.shape[0],), input.dtype)
    return node.made(out) if node else out


def _transposed(tensor: Tensor) -> Tensor:
    return raw.transpose(tensor, 0, 1, "t")


@known("torch.dot", "Tensor.dot")
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors; keeps each if the other wants a gradient."""
    _check("dot", input, tensor, (1, 1))
    node = None
    if wants_gradient(input, tensor):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            kept = node.get("input") if node.wants(1) else None
            other = node.get("tensor") if node.wants(0) else None
            for_input = raw.pointwise("mul", gradient, other) if node.wants(0) else None
            for_tensor = raw.pointwise("mul", gradient, kept) if node.wants(1) else None
            return [for_input, for_tensor]

        node = Node("Dot", (input, tensor), backward)
        if node.wants(1):
            node.save(input=input)
        if node.wants(0):
            node.save(tensor=tensor)
    out = raw.new("dot", (), input.dtype)
    return node.made(out) if node else out


@known("torch.outer", "Tensor.outer", "torch.ger", "Tensor.ger")
@composite("outer")
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The outer product of two vectors."""
    if (input.ndim, vec2.ndim) != (1, 1):
        raise ShapeMismatch(
            f"outer: two vectors are wanted, got {shape_text(input.shape)} and {shape_text(vec2.shape)}"
        )
    return mul(reshape(input, input.shape[0], 1), vec2)
