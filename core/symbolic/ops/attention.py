"""Attention, on the paths that torch takes: a fused kernel where one serves, else matrix products and a softmax.

This file has the CPU's kernel and the plain operators; CUDA's kernels are in `cuda_attention`.
"""

from __future__ import annotations

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import flops, raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType, bfloat16, bool_, float16, float32, float64
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops import cuda_attention
from tttdit.core.symbolic.ops.arithmetic import add, add_, mul
from tttdit.core.symbolic.ops.copies import to
from tttdit.core.symbolic.ops.dropout import with_noise
from tttdit.core.symbolic.ops.products import matmul
from tttdit.core.symbolic.ops.softmax import safe_softmax
from tttdit.core.symbolic.ops.views import transpose
from tttdit.core.symbolic.raw import composite, dim_text, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.strides import output_strides
from tttdit.core.symbolic.tensor import Tensor

_CALL = "F.scaled_dot_product_attention"


@known(_CALL)
@composite("scaled_dot_product_attention")
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Attention of queries [B, A, tokens, K] to keys and values."""
    _check(query, key, value, attn_mask, is_causal, enable_gqa)
    on_cpu = STATE.device == "cpu"
    flash = (
        _takes_flash(query, key, value, attn_mask, dropout_p, enable_gqa)
        if on_cpu
        else cuda_attention.takes_flash(query, key, value, attn_mask, enable_gqa)
    )
    if attn_mask is not None and attn_mask.dtype is bool_:
        attn_mask = _as_numbers(attn_mask, query.dtype)
    if flash:
        return _flash(query, key, value, attn_mask) if on_cpu else cuda_attention.flash(query, key, value)
    if not on_cpu and cuda_attention.takes_efficient(query, key, value, attn_mask):
        return cuda_attention.efficient(query, key, value, attn_mask)
    if enable_gqa:
        raise UnknownCall(_CALL, "with grouped queries where flash attention does not serve")
    return _math(query, key, value, attn_mask, dropout_p, is_causal)


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool, enable_gqa: bool) -> None:
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ShapeMismatch(
            f"scaled_dot_product_attention: at least 2 dimensions each, got {shape_text(query.shape)}, {shape_text(key.shape)}, "
            f"{shape_text(value.shape)}"
        )
    if not query.dtype is key.dtype is value.dtype:
        raise ShapeMismatch(
            f"scaled_dot_product_attention: operands of {query.dtype}, {key.dtype} and {value.dtype}; torch wants one type"
        )
    if query.shape[-1] != key.shape[-1]:
        raise ShapeMismatch(
            f"scaled_dot_product_attention: head widths of {shape_text(query.shape)} and {shape_text(key.shape)} do not fit: "
            f"{dim_text(query.shape[-1])} against {dim_text(key.shape[-1])}",
            query.shape[-1],
            key.shape[-1],
        )
    if key.shape[-2] != value.shape[-2]:
        raise ShapeMismatch(
            f"scaled_dot_product_attention: {dim_text(key.shape[-2])} keys and {dim_text(value.shape[-2])} values",
            key.shape[-2],
            value.shape[-2],
        )
    for other in (key, value):
        if query.ndim == other.ndim == 4:
            for at, what in ((0, "batches"), (1, "heads")):
                a, b = query.shape[at], other.shape[at]
                if a != b and 1 not in (a, b) and not (enable_gqa and at == 1 and a % b == 0):
                    raise ShapeMismatch(
                        f"scaled_dot_product_attention: {what} of {shape_text(query.shape)} and {shape_text(other.shape)} do not "
                        f"fit: {dim_text(a)} against {dim_text(b)}",
                        a,
                        b,
                    )
    if mask is None:
        return
    if is_causal:
        raise ShapeMismatch("scaled_dot_product_attention: attn_mask together with is_causal, which torch refuses")
    if mask.dtype is float32 and query.dtype is not float32:
        raise UnknownCall(_CALL, f"with a mask of {mask.dtype} for {query.dtype}")
    if mask.dtype is not bool_ and mask.dtype is not query.dtype:
        raise ShapeMismatch(
            f"scaled_dot_product_attention: a mask of {mask.dtype} for {query.dtype}; torch wants bool or the same"
        )
    for at, size, what in ((-1, key.shape[-2], "keys"), (-2, query.shape[-2], "queries")):
        if mask.ndim < 2 or (mask.shape[at] != size == 1):
            raise UnknownCall(_CALL, f"with a mask {shape_text(mask.shape)} for {dim_text(size)} {what}")
        if mask.shape[at] not in (1, size):
            raise ShapeMismatch(
                f"scaled_dot_product_attention: a mask {shape_text(mask.shape)} for {dim_text(size)} {what}",
                mask.shape[at],
                size,
            )


def _takes_flash(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout_p: float, enable_gqa: bool
) -> bool:
    """Whether torch's CPU flash attention serves (aten/src/ATen/native/transformers/sdp_utils_cpp.cpp)."""
    tensors = (query, key, value)
    if dropout_p or any(tensor.ndim != 4 for tensor in tensors):
        return False
    if query.dtype not in (float16, bfloat16, float32, float64) or value.shape[3] != query.shape[3]:
        return False
    if any(tensor.shape[0] != query.shape[0] for tensor in tensors) or key.shape[1] != value.shape[1]:
        return False
    if query.shape[1] != key.shape[1] and not enable_gqa:
        return False
    if any(tensor.strides[3] != 1 for tensor in tensors) or 0 in (query.shape[2], key.shape[2]):
        return False
    if mask is None:
        return True
    if mask.requires_grad or mask.ndim not in (2, 4):
        return False
    return mask.ndim == 2 or (mask.shape[0] in (1, query.shape[0]) and mask.shape[1] in (1, query.shape[1]))


def _as_numbers(mask: Tensor, dtype: DType) -> Tensor:
    """0 where the mask says yes, minus infinity elsewhere."""
    lowest = raw.new("scalar_tensor", (), dtype)
    zero = raw.new("scalar_tensor", (), dtype)
    out = raw.pointwise("where", mask, dtype=dtype)
    del lowest, zero
    return out


def _flash(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Keeps q, k, v, the mask, its output and a log-sum-exp a row in float32."""
    node = None
    if wants_gradient(query, key, value):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept = [node.get(name) for name in ("query", "key", "value")]
            rest = [node.get(name) for name in node.saved if name not in ("query", "key", "value")]
            made: Gradients = [_heads_last(tensor) for tensor in kept]
            flops.work(flops.attention_backward, *(tensor.shape for tensor in kept))
            raw.dispatched("_scaled_dot_product_flash_attention_for_cpu_backward", *[g for g in made if g is not None])
            del rest
            return made

        node = Node("ScaledDotProductFlashAttention", (query, key, value), backward)
        if mask is not None:
            node.save(attn_mask=mask)
        node.save(key=key, query=query, value=value)
    batch, heads, tokens, _ = query.shape
    strides = query.strides if query.is_dense() else output_strides(query.shape, [query])
    out = raw.empty(query.shape, query.dtype, strides)
    statistics = float64 if query.dtype is float64 else float32
    logsumexp = raw.empty((batch, heads, tokens), statistics, (int(heads) * int(tokens), 1, int(heads)))
    flops.work(flops.attention, query.shape, key.shape, value.shape)
    raw.dispatched("_scaled_dot_product_flash_attention_for_cpu", out, logsumexp)
    if node:
        node.save_output(output=out, logsumexp=logsumexp)
        node.made(out)
    return out


def _heads_last(tensor: Tensor) -> Tensor:
    """A fresh [B, A, T, K] that lies as [B, T, A, K]."""
    heads, tokens, width = (int(size) for size in tensor.shape[1:])
    return raw.empty(tensor.shape, tensor.dtype, (tokens * heads * width, width, heads * width, 1))


def _math(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout_p: float, is_causal: bool) -> Tensor:
    """softmax(q k' + mask) v in plain operators, half precision in float32."""
    dtype = query.dtype
    if dtype in (float16, bfloat16):
        query, key, value = to(query, float32), to(key, float32), to(value, float32)
    scaled = mul(query, 0.5)
    if is_causal:
        lower = raw.new("ones", (query.shape[-2], key.shape[-2]), bool_)
        triangle = raw.like("tril", lower)
        del lower
        mask = _as_numbers(triangle, query.dtype)
        del triangle
    weights = matmul(scaled, mul(transpose(key, -2, -1), 0.5))
    if mask is not None:
        weights = add_(weights, mask) if STATE.in_place else add(weights, mask)
    weights = safe_softmax(weights)
    if dropout_p > 0:
        weights = with_noise(weights)
    returned = to(weights, dtype)  # aten gives the weights back as well
    out = to(matmul(weights, value), dtype)
    del returned
    return out
