"""Pooling: means and maxima of windows."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import int64
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.reductions import mean
from tttdit.core.symbolic.ops.views import squeeze, unsqueeze
from tttdit.core.symbolic.raw import composite, dim_text, shape_text
from tttdit.core.symbolic.strides import is_channels_last
from tttdit.core.symbolic.tensor import Tensor


def _each(value: Any, dims: int) -> tuple[int, ...]:
    return (value,) * dims if isinstance(value, int) else tuple(value)


def _windows(
    call: str, input: Tensor, dims: int, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, dilation: Any = 1
) -> tuple[int, ...]:
    """The result's shape."""
    if ceil_mode:
        raise UnknownCall(f"F.{call}", "with ceil_mode")
    if input.ndim not in (dims + 1, dims + 2):
        raise ShapeMismatch(
            f"{call}: an input of {dims + 1} or {dims + 2} dimensions is wanted, got {shape_text(input.shape)}"
        )
    if is_channels_last(input.shape, input.strides):
        raise UnknownCall(f"F.{call}", "of a tensor whose channels lie innermost; make it contiguous first")
    kernels, pads, spreads = _each(kernel, dims), _each(padding, dims), _each(dilation, dims)
    steps = kernels if stride is None or stride == [] else _each(stride, dims)
    sizes = []
    for i, length in enumerate(input.shape[-dims:]):
        room = length + 2 * pads[i] - (spreads[i] * (kernels[i] - 1) + 1)
        if room < 0:
            raise ShapeMismatch(
                f"{call}: windows of {kernels[i]} over {dim_text(length)} of {shape_text(input.shape)}",
                length,
                kernels[i],
            )
        side_by_side = kernels[i] == steps[i] and not pads[i] and spreads[i] == 1 and length % steps[i] == 0
        sizes.append(length // steps[i] if side_by_side else divmod(room, steps[i])[0] + 1)
    return (*input.shape[:-dims], *sizes)


def _mean_of_windows(call: str, input: Tensor, shape: tuple[int, ...]) -> Tensor:
    """One operator each way; keeps its input."""
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept = node.get("input")
            return [raw.new(f"{call}_backward", kept.shape, kept.dtype)]

        node = Node(call, (input,), backward)
        node.save(input=input)
    out = raw.new(call, shape, input.dtype)
    return node.made(out) if node else out


@known("F.avg_pool1d", "torch.avg_pool1d")
@composite("avg_pool1d")
def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Means of windows of [N, C, L], as of one row."""
    shape = _windows("avg_pool1d", input, 1, kernel_size, stride, padding, ceil_mode)
    row = unsqueeze(input, -2)
    return squeeze(_mean_of_windows("avg_pool2d", row, (*shape[:-1], 1, shape[-1])), -2)


@known("F.avg_pool2d")
def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Means of windows of [N, C, H, W]; keeps its input."""
    return _mean_of_windows(
        "avg_pool2d", input, _windows("avg_pool2d", input, 2, kernel_size, stride, padding, ceil_mode)
    )


@known("F.avg_pool3d")
def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Means of windows of [N, C, F, H, W]; keeps its input."""
    return _mean_of_windows(
        "avg_pool3d", input, _windows("avg_pool3d", input, 3, kernel_size, stride, padding, ceil_mode)
    )


@known("F.adaptive_avg_pool2d")
@composite("adaptive_avg_pool2d")
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of so many windows of [N, C, H, W]; of one, a plain mean."""
    if is_channels_last(input.shape, input.strides) or input.ndim not in (3, 4):
        raise UnknownCall("F.adaptive_avg_pool2d", f"of {shape_text(input.shape)} with strides {input.strides}")
    sizes = [input.shape[input.ndim - 2 + i] if size is None else size for i, size in enumerate(_each(output_size, 2))]
    if sizes == [1, 1]:
        return mean(input, (-1, -2), True)
    return _mean_of_windows("_adaptive_avg_pool2d", input, (*input.shape[:-2], *sizes))


@known("F.max_pool2d")
@composite("max_pool2d")
def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    """Maxima of windows of [N, C, H, W]; keeps its input and where they were."""
    if return_indices:
        raise UnknownCall("F.max_pool2d", "with return_indices")
    shape = _windows("max_pool2d", input, 2, kernel_size, stride, padding, ceil_mode, dilation)
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept, indices = node.get("input"), node.get("indices")
            made = raw.new("max_pool2d_with_indices_backward", kept.shape, kept.dtype)
            del indices
            return [made]

        node = Node("MaxPool2DWithIndices", (input,), backward)
        node.save(input=input)
    out, indices = raw.empty(shape, input.dtype), raw.empty(shape, int64)
    raw.dispatched("max_pool2d_with_indices", out, indices)
    if node:
        node.save_output(indices=indices)
        node.made(out)
    return out
