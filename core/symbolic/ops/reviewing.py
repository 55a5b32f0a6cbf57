"""Views in place: the tensor itself looks at its memory in another way from then on."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.inplace import change
from tttdit.core.symbolic.raw import axis
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


@known("Tensor.unsqueeze_")
def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """A dimension of 1 more."""
    at = axis(input, dim, extra=1)
    return _looking("unsqueeze_", input, lambda x: raw.unsqueeze(x, at), lambda gradient: raw.squeeze(gradient, [at]))


@known("Tensor.squeeze_")
def squeeze_(input: Tensor, dim: int | None = None) -> Tensor:
    """Without this dimension, if it is 1, or without all that are."""
    dims = range(input.ndim) if dim is None else [axis(input, dim)]
    gone = [at for at in dims if input.ndim and input.shape[at] == 1]

    def back(gradient: Tensor) -> Tensor:
        for at in gone:
            gradient = raw.unsqueeze(gradient, at)
        return gradient

    return _looking("squeeze_", input, lambda x: raw.squeeze(x, gone), back)


@known("Tensor.transpose_", "Tensor.swapaxes_", "Tensor.swapdims_")
def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    return _looking(
        "transpose_",
        input,
        lambda x: raw.transpose(x, dim0, dim1),
        lambda gradient: raw.transpose(gradient, dim0, dim1),
    )


@known("Tensor.t_")
def t_(input: Tensor) -> Tensor:
    """A matrix transposed."""
    return _looking("t_", input, lambda x: raw.transpose(x, 0, 1), lambda gradient: raw.transpose(gradient, 0, 1, "t"))


def _looking(call: str, input: Tensor, look: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor]) -> Tensor:
    def backward(node: Node, gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        return [back(gradient)]

    node = change(call, call, [input], backward)
    if node and input.base is not None:
        raise UnknownCall(f"Tensor.{call}", "of a view with a gradient; use the operator that is not in place")
    meter, STATE.meter = STATE.meter, None
    try:
        other = look(raw.alias(input))
    finally:
        STATE.meter = meter
    input.shape, input.strides = other.shape, other.strides
    del other
    raw.inplace(call, input)
    return node.made(input) if node else input
