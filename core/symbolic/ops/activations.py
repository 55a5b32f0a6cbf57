"""Activation functions. Each takes `inplace=True` where torch does."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.arithmetic import add, div, sub
from tttdit.core.symbolic.ops.elementwise import Derivative, Elementwise, one
from tttdit.core.symbolic.ops.unary import refuse_bool
from tttdit.core.symbolic.raw import axis, composite, dim_text, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


def _operator(
    name: str, *, backward: str | None = None, inplace_reads: str = "self", gradient_last: bool = False
) -> tuple[Elementwise, Elementwise]:
    """The operator out of place and in place.

    Some read their result instead of their input in the derivative of the in-place form, which saves a copy.
    """

    def of(kept: str) -> Elementwise:
        operands = (kept, "grad") if gradient_last else ("grad", kept)
        return Elementwise(name, "self", Derivative("self", kept, one(backward or f"{name}_backward", *operands)))

    return of("self"), of(inplace_reads)


_RELU = Elementwise("relu", "self", Derivative("self", "result", one("threshold_backward", "result", "grad")))
_LEAKY_RELU = _operator("leaky_relu", inplace_reads="result", gradient_last=True)
_ELU = _operator("elu", inplace_reads="result")
_CELU = _operator("celu", backward="elu_backward", inplace_reads="result")
_HARDTANH = _operator("hardtanh")
_THRESHOLD = _operator("threshold", gradient_last=True)
_MISH = _operator("mish")
_SILU = _operator("silu")
_GELU = _operator("gelu")
_HARDSWISH = _operator("hardswish")
_HARDSIGMOID = _operator("hardsigmoid")
_SOFTPLUS = _operator("softplus")
_HARDSHRINK = _operator("hardshrink")
_SOFTSHRINK = _operator("softshrink")


def _choose(operators: tuple[Elementwise, Elementwise], input: Tensor, inplace: bool) -> Tensor:
    return operators[1].inplace(input) if inplace else operators[0](input)


def _simple(name: str, operators: tuple[Elementwise, Elementwise]) -> Callable[..., Tensor]:
    """`F.name(input, inplace=False)`."""

    @known(f"F.{name}")
    def function(input: Tensor, inplace: bool = False) -> Tensor:
        return _choose(operators, input, inplace)

    return function


silu = _simple("silu", _SILU)
mish = _simple("mish", _MISH)
hardswish = _simple("hardswish", _HARDSWISH)
hardsigmoid = _simple("hardsigmoid", _HARDSIGMOID)
relu6 = _simple("relu6", _HARDTANH)
selu = _simple("selu", _ELU)


@known("torch.relu", "Tensor.relu")
def relu(input: Tensor) -> Tensor:
    """`max(x, 0)`; keeps its result."""
    refuse_bool("relu", input)
    return _RELU(input)


@known("torch.relu_", "Tensor.relu_", "F.relu_")
def relu_(input: Tensor) -> Tensor:
    """`max(x, 0)`, in place."""
    refuse_bool("relu_", input)
    return _RELU.inplace(input)


@known("F.relu")
def functional_relu(input: Tensor, inplace: bool = False) -> Tensor:
    """`max(x, 0)`; keeps its result."""
    return relu_(input) if inplace else relu(input)


@known("torch.selu")
def torch_selu(input: Tensor) -> Tensor:
    """The self-normalising exponential linear unit."""
    return selu(input)


@known("F.leaky_relu")
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """`max(x, slope x)`."""
    return _choose(_LEAKY_RELU, input, inplace)


@known("F.elu")
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """The exponential linear unit."""
    return _choose(_ELU, input, inplace)


@known("F.celu", "torch.celu")
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """The exponential linear unit with a continuous derivative."""
    return _choose(_CELU, input, inplace)


@known("F.hardtanh")
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Between two bounds."""
    return _choose(_HARDTANH, input, inplace)


@known("F.threshold", "torch.threshold")
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x above the threshold, else the value."""
    return _choose(_THRESHOLD, input, inplace)


@known("F.softplus")
def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """`log(1 + exp(x))`."""
    return _SOFTPLUS[0](input)


@known("F.hardshrink", "torch.hardshrink")
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where it is far from zero, else zero."""
    return _HARDSHRINK[0](input)


@known("F.softshrink")
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x drawn towards zero."""
    return _SOFTSHRINK[0](input)


@known("F.gelu")
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """The Gaussian error linear unit; keeps its input."""
    if approximate not in ("none", "tanh"):
        raise UnknownCall("F.gelu", f"with approximate={approximate!r}; 'none' and 'tanh' are known")
    return _GELU[0](input)


@known("F.tanhshrink")
def tanhshrink(input: Tensor) -> Tensor:
    """`x - tanh(x)`."""
    return sub(input, input.tanh())


@known("F.softsign")
def softsign(input: Tensor) -> Tensor:
    """`x / (1 + |x|)`."""
    return div(input, add(input.abs(), 1))


@known("F.logsigmoid")
@composite("log_sigmoid")
def logsigmoid(input: Tensor) -> Tensor:
    """`log(sigmoid(x))`; keeps its input, and on the CPU a buffer of the input's size, which is empty on CUDA.

    aten/src/ATen/native/cuda/ActivationLogSigmoidKernel.cu and Activation.cpp, `log_sigmoid_forward_cuda`.
    """
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            buffer, kept = node.get("buffer"), node.get("self")
            return [raw.pointwise("log_sigmoid_backward", gradient, kept, *([buffer] if buffer.elements else []))]

        node = Node("LogSigmoid", (input,), backward)
        node.save(self=input)
    on_cpu = STATE.device == "cpu"
    out = raw.empty(input.shape, input.dtype, None if on_cpu or not input.is_dense() else input.strides)
    buffer = raw.empty(input.shape if on_cpu else (0,), input.dtype)
    raw.dispatched("log_sigmoid_forward", out, buffer)
    if node:
        node.save_output(buffer=buffer)
        node.made(out)
    return out


@known("F.glu")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """`a sigmoid(b)` of a dimension's two halves; keeps its input."""
    at = axis(input, dim)
    length = input.shape[at]
    if length % 2:
        raise ShapeMismatch(
            f"glu: dimension {at} of {shape_text(input.shape)} is {dim_text(length)}, which has no two halves",
            length,
            2,
        )
    half = length // 2
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept = node.get("self")
            return [raw.new("glu_backward", kept.shape, kept.dtype)]

        node = Node("Glu", (input,), backward)
        node.save(self=input)
    shape = (*input.shape[:at], half, *input.shape[at + 1 :])
    left = raw.part(input, shape, input.strides, input.offset)
    out = raw.pointwise("glu", left)
    return node.made(out) if node else out


@known("torch.ops.aten.gelu_backward")
def gelu_backward(grad_output: Tensor, self: Tensor, *, approximate: str = "none") -> Tensor:
    """GELU's derivative times a gradient, as an operator's own backward calls it."""
    if wants_gradient(grad_output, self):
        raise UnknownCall("torch.ops.aten.gelu_backward", "differentiated once more")
    return raw.pointwise("gelu_backward", grad_output, self)


@known("torch.ops.aten.sigmoid_backward")
def sigmoid_backward(grad_output: Tensor, output: Tensor) -> Tensor:
    """The sigmoid's derivative times a gradient, as an operator's own backward calls it."""
    if wants_gradient(grad_output, output):
        raise UnknownCall("torch.ops.aten.sigmoid_backward", "differentiated once more")
    return raw.pointwise("sigmoid_backward", grad_output, output)
