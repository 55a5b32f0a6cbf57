"""Convolutions, transposed ones included: one operator each way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import flops, raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.views import squeeze, unsqueeze
from tttdit.core.symbolic.raw import composite, dim_text, shape_text
from tttdit.core.symbolic.strides import is_channels_last
from tttdit.core.symbolic.tensor import Tensor

_OVER = {
    1: "one dimension of [N, C, L]",
    2: "rows and columns of [N, C, H, W]",
    3: "frames, rows and columns of [N, C, F, H, W]",
}


def _forward(dims: int) -> Callable[..., Tensor]:
    call = f"conv{dims}d"

    @composite(call)
    def convolution(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        if isinstance(padding, str):
            padding = _padding(call, padding, weight, stride, dilation, dims)
        steps, pads, spreads = (_each(call, value, dims) for value in (stride, padding, dilation))
        if input.ndim == dims + 1:
            return squeeze(convolution(unsqueeze(input, 0), weight, bias, steps, pads, spreads, groups), 0)
        _check(call, dims, input, weight, bias, weight.shape[1] * groups)
        if weight.shape[0] % groups:
            raise ShapeMismatch(
                f"{call}: {dim_text(weight.shape[0])} output channels in {groups} groups", weight.shape[0], groups
            )
        sizes = [
            _size(call, input, weight, input.shape[2 + i], weight.shape[2 + i], steps[i], pads[i], spreads[i])
            for i in range(dims)
        ]
        return _convolution(input, weight, bias, (input.shape[0], weight.shape[0], *sizes))

    convolution.__name__ = call
    convolution.__doc__ = f"A convolution over {_OVER[dims]}; keeps x and the weight."
    return known(f"F.{call}", f"torch.{call}")(convolution)


def _transposed(dims: int) -> Callable[..., Tensor]:
    call = f"conv_transpose{dims}d"

    @composite(call)
    def convolution(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Tensor:
        steps, pads, more, spreads = (_each(call, value, dims) for value in (stride, padding, output_padding, dilation))
        if input.ndim == dims + 1:
            return squeeze(convolution(unsqueeze(input, 0), weight, bias, steps, pads, more, groups, spreads), 0)
        _check(call, dims, input, weight, bias, weight.shape[0])
        sizes = [
            (input.shape[2 + i] - 1) * steps[i] - 2 * pads[i] + spreads[i] * (weight.shape[2 + i] - 1) + more[i] + 1
            for i in range(dims)
        ]
        return _convolution(input, weight, bias, (input.shape[0], weight.shape[1] * groups, *sizes), transposed=True)

    convolution.__name__ = call
    convolution.__doc__ = f"A transposed convolution over {_OVER[dims]}; keeps x and the weight."
    return known(f"F.{call}", f"torch.{call}")(convolution)


def _check(call: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, channels: int) -> None:
    if input.ndim != dims + 2 or weight.ndim != dims + 2:
        raise ShapeMismatch(
            f"{call}: input and weight of {dims + 2} dimensions are wanted, got {shape_text(input.shape)} and "
            f"{shape_text(weight.shape)}"
        )
    if input.shape[1] != channels:
        raise ShapeMismatch(
            f"{call}: the input {shape_text(input.shape)} has {dim_text(input.shape[1])} channels, the weight "
            f"{shape_text(weight.shape)} takes {dim_text(channels)}",
            input.shape[1],
            channels,
        )
    for tensor in (weight, bias):
        if tensor is not None and tensor.dtype is not input.dtype:
            raise ShapeMismatch(f"{call}: operands of {input.dtype} and {tensor.dtype}; torch wants one type")
    if is_channels_last(input.shape, input.strides) or is_channels_last(weight.shape, weight.strides):
        raise UnknownCall(f"F.{call}", "of a tensor whose channels lie innermost; make it contiguous first")


def _size(call: str, input: Tensor, weight: Tensor, length: int, kernel: int, step: int, pad: int, spread: int) -> int:
    span = spread * (kernel - 1) + 1
    room = length + 2 * pad - span
    if room < 0:
        raise ShapeMismatch(f"{call}: the kernel {shape_text(weight.shape)} is larger than {shape_text(input.shape)}")
    if span == step and room % step == 0:  # windows lie side by side and cover all
        return (length + 2 * pad) // step
    # a convolution rounds down without a word, as torch does
    whole: int = divmod(room, step)[0] + 1
    return whole


def _padding(call: str, padding: str, weight: Tensor, stride: Any, dilation: Any, dims: int) -> Any:
    if padding == "valid":
        return 0
    if padding != "same":
        raise ValueError(f"Invalid padding string: {padding!r}")
    if any(step != 1 for step in _each(call, stride, dims)):
        raise ShapeMismatch(f'{call}: padding="same" with a stride, which torch refuses')
    both = [spread * (weight.shape[2 + i] - 1) for i, spread in enumerate(_each(call, dilation, dims))]
    if any(size % 2 for size in both):
        raise UnknownCall(f"F.{call}", 'with padding="same" that is not the same on both sides')
    return [size // 2 for size in both]


def _convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None, shape: Sequence[int], *, transposed: bool = False
) -> Tensor:
    node = None
    if wants_gradient(bias) and not weight.requires_grad:
        raise UnknownCall(
            "a convolution",
            "with a frozen weight and a trained bias: what its backward makes depends on the CPU's library",
        )
    if wants_gradient(input, weight, bias):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept_input, kept_weight = node.get("input"), node.get("weight")
            made: Gradients = [
                raw.empty(tensor.shape, tensor.dtype) if node.wants(i) else None
                for i, tensor in enumerate((kept_input, kept_weight))
            ]
            made.append(raw.empty((shape[1],), kept_weight.dtype) if node.wants(2) else None)
            formula = flops.convolution_backward(node.wants(0), node.wants(1), transposed)
            flops.work(formula, shape, kept_input.shape, kept_weight.shape)
            raw.dispatched("convolution_backward", *[gradient for gradient in made if gradient is not None])
            return made

        node = Node("Convolution", (input, weight, bias), backward)
        node.save(input=input, weight=weight)
    flops.work(flops.transposed_convolution if transposed else flops.convolution, input.shape, weight.shape, shape)
    out = raw.new("convolution", shape, input.dtype)
    return node.made(out) if node else out


def _each(call: str, value: Any, dims: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * dims
    values = tuple(value)
    if len(values) not in (1, dims):
        raise ShapeMismatch(f"{call}: {values} is not one number, or one for each of {dims} dimensions")
    return values * dims if len(values) == 1 else values


conv1d, conv2d, conv3d = _forward(1), _forward(2), _forward(3)
conv_transpose1d, conv_transpose2d, conv_transpose3d = _transposed(1), _transposed(2), _transposed(3)
