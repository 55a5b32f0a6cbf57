"""Dropout: on the CPU a mask of the input's own type is made, and multiplied with; on CUDA one operator makes a mask of bool.

aten/src/ATen/native/Dropout.cpp, `is_fused_kernel_acceptable`.
"""

from __future__ import annotations

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import bool_
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.arithmetic import mul
from tttdit.core.symbolic.raw import composite
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


def with_noise(input: Tensor) -> Tensor:
    """The input times a mask of its own type and size, which is kept."""
    noise = raw.like("empty_like", input)
    raw.inplace("bernoulli_", noise)
    raw.inplace("div_", noise)
    return mul(input, noise)


@composite("dropout")
def _dropout(input: Tensor, p: float, train: bool) -> Tensor:
    if p == 0 or not train or input.elements == 0:
        return input
    if p == 1:
        zero = raw.new("zeros", (), input.dtype)
        return mul(input, zero)
    return with_noise(input) if STATE.device == "cpu" else _fused(input)


def _fused(input: Tensor) -> Tensor:
    """Keeps its mask (aten/src/ATen/native/cuda/Dropout.cu, `native_dropout_cuda`)."""
    node, dtype = None, input.dtype
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            return [raw.pointwise("native_dropout_backward", gradient, node.get("mask"), dtype=dtype)]

        node = Node("NativeDropout", (input,), backward)
    strides = input.strides if input.is_dense() else None
    out, mask = raw.empty(input.shape, input.dtype, strides), raw.empty(input.shape, bool_, strides)
    raw.dispatched("native_dropout", out, mask)
    if node:
        node.save_output(mask=mask)
        node.made(out)
    return out


@known("torch.dropout")
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout; in evaluation, or with p = 0, the input itself."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return _dropout(input, p, train)


@known("F.dropout")
def functional_dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout; in evaluation, or with p = 0, the input itself."""
    if inplace:
        raise UnknownCall("F.dropout", "with inplace=True")
    return dropout(input, p, training)
