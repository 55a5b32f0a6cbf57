"""Batches of matrix products added to something."""

from __future__ import annotations

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import flops, raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.raw import dim_text, shape_text
from tttdit.core.symbolic.tensor import Tensor


def _check(call: str, input: Tensor, batch1: Tensor, batch2: Tensor) -> tuple[int, ...]:
    """The result's shape. Raises ShapeMismatch where the three do not fit."""
    if batch1.ndim != 3 or batch2.ndim != 3:
        raise ShapeMismatch(
            f"{call}: batches of matrices are wanted, got {shape_text(batch1.shape)} and {shape_text(batch2.shape)}"
        )
    for left, right in ((0, 0), (2, 1)):
        a, b = batch1.shape[left], batch2.shape[right]
        if a != b:
            raise ShapeMismatch(
                f"{call}: {shape_text(batch1.shape)} and {shape_text(batch2.shape)} do not fit: {dim_text(a)} against "
                f"{dim_text(b)}",
                a,
                b,
            )
    shape = (batch1.shape[0], batch1.shape[1], batch2.shape[2])
    if raw.broadcast(call, shape, input.shape) != shape:
        raise ShapeMismatch(f"{call}: {shape_text(input.shape)} does not broadcast to {shape_text(shape)}")
    if not input.dtype is batch1.dtype is batch2.dtype:
        raise ShapeMismatch(
            f"{call}: operands of {input.dtype}, {batch1.dtype} and {batch2.dtype}; torch wants one type"
        )
    return shape


@known("torch.baddbmm", "Tensor.baddbmm")
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`beta input + alpha batch1 batch2`; keeps each batch if the other wants a gradient."""
    _check("baddbmm", input, batch1, batch2)
    node = None
    if wants_gradient(input, batch1, batch2):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            left = node.get("batch1") if node.wants(2) else None
            right = node.get("batch2") if node.wants(1) else None
            for_left = for_right = for_input = None
            if right is not None:
                for_left = _scaled(raw.bmm(gradient, raw.transpose(right, 1, 2)), alpha)
            if left is not None:
                for_right = _scaled(raw.bmm(raw.transpose(left, 1, 2), gradient), alpha)
            if node.wants(0):
                for_input = _scaled(gradient, beta)
            return [for_input, for_left, for_right]

        node = Node("Baddbmm", (input, batch1, batch2), backward)
        if node.wants(2):
            node.save(batch1=batch1)
        if node.wants(1):
            node.save(batch2=batch2)
    out = raw.bmm(batch1, batch2, "baddbmm")
    return node.made(out) if node else out


@known("Tensor.baddbmm_")
def baddbmm_(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`beta input + alpha batch1 batch2` in the input's place, outside the graph."""
    shape = _check("baddbmm_", input, batch1, batch2)
    if tuple(input.shape) != shape:
        raise ShapeMismatch(f"baddbmm_: {shape_text(input.shape)} cannot hold a result of {shape_text(shape)}")
    if wants_gradient(input, batch1, batch2):
        raise UnknownCall("Tensor.baddbmm_", "with a gradient")
    flops.work(flops.product, batch1.shape, batch2.shape)
    return raw.inplace("baddbmm_", input)


def _scaled(tensor: Tensor, factor: float) -> Tensor:
    """Times a number, unless that is 1."""
    return tensor if factor == 1 else raw.pointwise("mul", tensor)
