"""Softmax and its relatives."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.copies import to
from tttdit.core.symbolic.ops.reductions import reduced_dims, unsqueezed
from tttdit.core.symbolic.raw import axis, composite
from tttdit.core.symbolic.tensor import Tensor


def _one_operator(name: str, backward_name: str, input: Tensor) -> Tensor:
    """A contiguous result, which is kept; backward is one operator."""
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            result = node.get("result")
            return [raw.new(backward_name, gradient.shape, result.dtype)]

        node = Node(name, (input,), backward)
    out = raw.new(name, input.shape, input.dtype)
    if node:
        node.save_output(result=out)
        node.made(out)
    return out


def _cast(call: str, input: Tensor, dim: Any, dtype: DType | None) -> Tensor:
    if dim is None:
        raise UnknownCall(call, "without a dimension; torch's choice of one is deprecated")
    axis(input, dim)
    if dtype is not None:
        input = to(input, dtype)
    if not input.dtype.is_floating_point:
        raise UnknownCall(call, f"of {input.dtype}")
    return input


@known("torch.softmax", "Tensor.softmax")
@composite("softmax")
def softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """Softmax; keeps its result."""
    return _one_operator("_softmax", "_softmax_backward_data", _cast("torch.softmax", input, dim, dtype))


@known("F.softmax")
def functional_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """Softmax; keeps its result."""
    return softmax(input, dim, dtype)  # type: ignore[arg-type]


@known("torch.log_softmax", "Tensor.log_softmax")
@composite("log_softmax")
def log_softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """The logarithm of softmax; keeps its result."""
    return _one_operator("_log_softmax", "_log_softmax_backward_data", _cast("torch.log_softmax", input, dim, dtype))


@known("F.log_softmax")
def functional_log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """The logarithm of softmax; keeps its result."""
    return log_softmax(input, dim, dtype)  # type: ignore[arg-type]


def safe_softmax(input: Tensor) -> Tensor:
    """The softmax of attention, which gives zeros where everything is masked; keeps its result."""
    return _one_operator("_safe_softmax", "_softmax_backward_data", input)


@known("torch.logsumexp", "Tensor.logsumexp")
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """The logarithm of the sum of exponentials; keeps its input and itself."""
    if not input.dtype.is_floating_point:
        raise UnknownCall("torch.logsumexp", f"of {input.dtype}")
    dims = reduced_dims(input, dim)
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            result, kept = node.get("result"), node.get("input")
            gradient = unsqueezed(gradient, dims, kept.ndim, keepdim)
            result = unsqueezed(result, dims, kept.ndim, keepdim)
            difference = raw.pointwise("sub", kept, result)
            share = raw.pointwise("exp", difference)
            made = raw.pointwise("mul", gradient, share)
            del difference
            return [made]

        node = Node("Logsumexp", (input,), backward)
        node.save(input=input)
    out = raw.reduce("logsumexp", input, dims, keepdim=keepdim)
    if node:
        node.save_output(result=out)
        node.made(out)
    return out
