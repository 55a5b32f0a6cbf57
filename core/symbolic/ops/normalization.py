"""Normalisation layers' functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType, bfloat16, float16, float32
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.raw import composite, dim_text, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.strides import is_channels_last
from tttdit.core.symbolic.tensor import Tensor


def computed_in(dtype: DType) -> DType:
    """The type that CUDA kernels calculate in (aten/src/ATen/AccumulateType.h, `toAccumulateType`)."""
    return float32 if dtype in (bfloat16, float16) else dtype


def _normalized(call: str, input: Tensor, shape: Any, *affine: Tensor | None) -> tuple[int, ...]:
    """The shape as a tuple. Raises ShapeMismatch where the input does not end in it, or weight or bias are not of it."""
    normalized = (shape,) if isinstance(shape, int) else tuple(shape)
    inner = len(normalized)
    if tuple(input.shape[max(input.ndim - inner, 0) :]) != normalized:
        wrong = [(a, b) for a, b in zip(reversed(input.shape), reversed(normalized), strict=False) if a != b]
        have, want = wrong[0] if wrong else (None, None)
        raise ShapeMismatch(
            f"{call}: {shape_text(input.shape)} does not end in {shape_text(normalized)}"
            + (f": {dim_text(have)} against {dim_text(want)}" if have is not None and want is not None else ""),
            have,
            want,
        )
    for tensor in affine:
        if tensor is not None and tuple(tensor.shape) != normalized:
            raise ShapeMismatch(f"{call}: weight or bias of {shape_text(tensor.shape)} over {shape_text(normalized)}")
    return normalized


def _statistics_type(call: str, input: Tensor, weight: Tensor | None, bias: Tensor | None) -> DType:
    """The type of the mean and deviation on the CPU: the input's; float32 where only weight and bias are (mixed_data_type.h)."""
    kinds = {tensor.dtype for tensor in (weight, bias) if tensor is not None}
    if kinds <= {input.dtype}:
        return input.dtype
    if weight is not None and kinds == {float32} and input.dtype in (bfloat16, float16):
        return float32
    raise SymbolicError(
        f"{call}: an input of {input.dtype} with weight and bias of {', '.join(sorted(map(str, kinds)))}"
    )


@known("F.layer_norm")
@composite("layer_norm")
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """LayerNorm over the last dimensions; keeps x, weight, bias, and a mean and a deviation a row.

    These have x's type on the CPU, and on CUDA the type that is calculated in: float32 for half precision
    (aten/src/ATen/native/cuda/layer_norm_kernel.cu, `layer_norm_cuda`).
    """
    return _layer_norm("layer_norm", input, normalized_shape, weight, bias)[0]


@known("torch.layer_norm")
def torch_layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """LayerNorm over the last dimensions."""
    return layer_norm(input, normalized_shape, weight, bias, eps)


@known("torch.native_layer_norm", "torch.ops.aten.native_layer_norm")
def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """LayerNorm; then the mean and 1 / deviation of each row."""
    return _layer_norm("native_layer_norm", input, normalized_shape, weight, bias)


def _layer_norm(
    call: str, input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    normalized = _normalized(call, input, normalized_shape, weight, bias)
    statistics = _statistics_type(call, input, weight, bias)
    if STATE.device == "cuda":
        statistics = computed_in(input.dtype)
    rows = (*input.shape[: input.ndim - len(normalized)], *(1,) * len(normalized))
    node = None
    if wants_gradient(input, weight, bias):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept = {name: node.get(name) for name in node.saved}
            made: Gradients = [
                raw.empty(kept[name].shape, kept[name].dtype) if node.wants(i) else None
                for i, name in enumerate(("input", "weight", "bias"))
            ]
            raw.dispatched("native_layer_norm_backward", *[gradient for gradient in made if gradient is not None])
            return made

        node = Node("NativeLayerNorm", (input, weight, bias), backward)
        if bias is not None:
            node.save(bias=bias)
        node.save(input=input)
        if weight is not None:
            node.save(weight=weight)
    out, mean, rstd = raw.empty(input.shape, input.dtype), raw.empty(rows, statistics), raw.empty(rows, statistics)
    raw.dispatched("native_layer_norm", out, mean, rstd)
    if node:
        node.save_output(mean=mean, rstd=rstd)
        node.made(out)
    return out, mean, rstd


@known("torch.ops.aten.native_layer_norm_backward")
def native_layer_norm_backward(
    grad_out: Tensor,
    input: Tensor,
    normalized_shape: Sequence[int],
    mean: Tensor,
    rstd: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    output_mask: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients of x, weight and bias, those that the mask asks for."""
    if wants_gradient(grad_out, input, weight):
        raise UnknownCall("torch.ops.aten.native_layer_norm_backward", "differentiated once more")
    shapes = (input.shape, tuple(normalized_shape), tuple(normalized_shape))
    made = [
        raw.empty(shape, input.dtype) if wanted else None for shape, wanted in zip(shapes, output_mask, strict=True)
    ]
    raw.dispatched("native_layer_norm_backward", *[tensor for tensor in made if tensor is not None])
    return made[0], made[1], made[2]


@known("F.rms_norm", "torch.rms_norm")
@composite("rms_norm")
def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """RMSNorm over the last dimensions: plain operators on the CPU, where half precision goes through float32; on CUDA one.

    aten/src/ATen/native/layer_norm.cpp, `rms_norm_symint`: CUDA's operator serves where weight and input have one type.
    """
    normalized = _normalized("rms_norm", input, normalized_shape, weight)
    one_type = weight is None or weight.dtype is input.dtype
    if STATE.device == "cuda" and one_type and not is_channels_last(input.shape, input.strides):
        return _fused_rms_norm(input, normalized, weight)
    wide = input.to(float32) if input.dtype in (bfloat16, float16) else input
    dims = [input.ndim - 1 - i for i in range(len(normalized))]
    square = wide.pow(2)
    average = square.mean(dims, True).add_(1e-6)
    inverse = average.rsqrt()
    del square, average  # the temporaries of one expression
    result: Tensor = wide.mul(inverse)
    if weight is not None:
        result = result.mul(weight)
    if not is_channels_last(input.shape, input.strides):  # else it keeps that layout
        result = result.contiguous()
    del wide
    return result.type_as(input)  # type: ignore[no-any-return]


def _fused_rms_norm(input: Tensor, normalized: Sequence[int], weight: Tensor | None) -> Tensor:
    """Keeps x, weight, and 1 / deviation of each row (aten/src/ATen/native/cuda/layer_norm_kernel.cu, `_fused_rms_norm_cuda`)."""
    rows = (*input.shape[: input.ndim - len(normalized)], *(1,) * len(normalized))
    node = None
    if wants_gradient(input, weight):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept = {name: node.get(name) for name in node.saved}
            made: Gradients = [
                raw.empty(kept[name].shape, kept[name].dtype) if node.wants(i) else None
                for i, name in enumerate(("input", "weight"))
            ]
            raw.dispatched("_fused_rms_norm_backward", *[gradient for gradient in made if gradient is not None])
            return made

        node = Node("FusedRmsNorm", (input, weight), backward)
        node.save(input=input)
        if weight is not None:
            node.save(weight=weight)
    out, rstd = raw.empty(input.shape, input.dtype), raw.empty(rows, computed_in(input.dtype))
    raw.dispatched("_fused_rms_norm", out, rstd)
    if node:
        node.save_output(rstd=rstd)
        node.made(out)
    return out


@known("F.group_norm")
@composite("group_norm")
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """GroupNorm of [N, C, ...]; keeps x, weight, and a mean and a deviation a group."""
    if input.ndim < 2 or input.shape[1] % num_groups:
        raise ShapeMismatch(
            f"group_norm: {shape_text(input.shape)} has no channels that {dim_text(num_groups)} groups divide",
            input.shape[1] if input.ndim > 1 else None,
            num_groups,
        )
    for tensor in (weight, bias):
        if tensor is not None and tuple(tensor.shape) != (input.shape[1],):
            raise ShapeMismatch(
                f"group_norm: weight or bias of {shape_text(tensor.shape)} for {dim_text(input.shape[1])} channels",
                tensor.shape[0] if tensor.ndim else None,
                input.shape[1],
            )
    if is_channels_last(input.shape, input.strides):
        raise UnknownCall("F.group_norm", "of a tensor whose channels lie innermost; make it contiguous first")
    return _group_norm(input.contiguous(), num_groups, weight, bias)


def _group_norm(input: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    statistics = _statistics_type("group_norm", input, weight, bias)
    node = None
    if wants_gradient(input, weight, bias):
        shape, kind = input.shape, input.dtype
        affine_kind = next((tensor.dtype for tensor in (weight, bias) if tensor is not None), kind)

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept = [node.get(name) for name in node.saved]
            (gradient,) = gradients
            assert gradient is not None
            rows = gradient if gradient.is_contiguous() else raw.clone(gradient, contiguous=True)
            made: Gradients = [raw.empty(shape, kind) if node.wants(0) else None]
            made += [raw.empty((shape[1],), affine_kind) if node.wants(i) else None for i in (1, 2)]
            raw.dispatched("native_group_norm_backward", *[each for each in made if each is not None])
            del kept, rows
            return made

        node = Node("NativeGroupNorm", (input, weight, bias), backward)
        node.save(input=input)
        if weight is not None:
            node.save(weight=weight)
    groups = (input.shape[0], num_groups)
    out, mean, rstd = raw.empty(input.shape, input.dtype), raw.empty(groups, statistics), raw.empty(groups, statistics)
    raw.dispatched("native_group_norm", out, mean, rstd)
    if node:
        node.save_output(mean=mean, rstd=rstd)
        node.made(out)
    return out


@known("F.normalize")
def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """Vectors divided by their p-norm."""
    # no names for what is on the way, and one for the divisor, as in torch's own Python
    denom = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    result: Tensor = input / denom
    return result
