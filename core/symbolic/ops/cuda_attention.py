"""Attention on CUDA: which kernel torch takes, what it keeps, and what its backward allocates.

Flash attention for half precision, the memory-efficient kernel for float32 and for masks; else plain operators
(aten/src/ATen/native/transformers/cuda/sdp_utils.cpp, `can_use_flash_attention` and `can_use_mem_efficient_attention`, for GPUs from
compute capability 8.0 on).

Where torch prefers cuDNN (compute capability 9.0 and 10.0 with cuDNN above 9.15, unless TORCH_CUDNN_SDPA_DEPRIORITIZED is set:
`check_prefer_cudnn_attention`) the same tensors are kept and made; its workspace is cuDNN's own business, and flash attention's
stands for it.
"""

from __future__ import annotations

from math import prod

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import flops, raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType, bfloat16, float16, float32, int64
from tttdit.core.symbolic.ops.repeating import expand_to, pad
from tttdit.core.symbolic.ops.views import slice_
from tttdit.core.symbolic.strides import contiguous_strides, output_strides
from tttdit.core.symbolic.tensor import Tensor

_HALVES = (float16, bfloat16)
_WIDEST = 256  # head width of flash attention: sdp_utils.cpp, `check_head_dim_size_flash`
_SEED_STATE = 2  # 64-bit numbers: flash_attn/flash_api.cpp, `mha_fwd`


def takes_flash(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, enable_gqa: bool) -> bool:
    """Whether flash attention serves (sdp_utils.cpp, `can_use_flash_attention`)."""
    if mask is not None or query.dtype not in _HALVES or not _dense(query, key, value):
        return False
    same_heads = query.shape[1] == key.shape[1] == value.shape[1]
    if not (same_heads or (enable_gqa and key.shape[1] == value.shape[1])):
        return False
    return bool(query.shape[3] == value.shape[3] and query.shape[3] <= _WIDEST)


def takes_efficient(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> bool:
    """Whether the memory-efficient kernel serves (sdp_utils.cpp, `can_use_mem_efficient_attention`, `minimum_gemm_alignment`)."""
    if query.dtype not in (*_HALVES, float32) or not _dense(query, key, value):
        return False
    if not query.shape[1] == key.shape[1] == value.shape[1]:
        return False
    aligned = 8 if query.dtype in _HALVES else 4
    if query.shape[3] % aligned or value.shape[3] % aligned:
        return False
    return mask is None or mask.ndim in (2, 4)


def _dense(*tensors: Tensor) -> bool:
    first = tensors[0]
    return all(
        tensor.ndim == 4 and tensor.shape[0] == first.shape[0] and tensor.strides[3] == 1 and tensor.shape[2] != 0
        for tensor in tensors
    )


def flash(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Flash attention, its head width made a multiple of 8 (aten/src/ATen/native/transformers/attention.cpp, `pad_last_dim<8, false>`)."""
    width = query.shape[3]
    missing = -int(width) % 8
    if not missing:
        return _flash(query, key, value)
    padded = [pad(tensor, (0, missing)) for tensor in (query, key, value)]
    return slice_(_flash(*padded), 3, 0, width)


def _flash(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Keeps q, k, v, the output, a log-sum-exp a row in float32, and the generator's seed and offset."""
    node = None
    if wants_gradient(query, key, value):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept = {name: node.get(name) for name in node.saved}
            made = [
                raw.empty(kept[name].shape, kept[name].dtype, _like(kept[name])) for name in ("query", "key", "value")
            ]
            flops.work(flops.attention_backward, *(kept[name].shape for name in ("query", "key", "value")))
            raw.workspace(_flash_workspace(kept["query"], kept["key"], kept["output"], gradient))
            raw.dispatched("_scaled_dot_product_flash_attention_backward", *made)
            return [*made]

        node = Node("ScaledDotProductFlashAttention", (query, key, value), backward)
        node.save(key=key, query=query, value=value)
    out = raw.empty(query.shape, query.dtype, _like(query))
    logsumexp = raw.empty(query.shape[:3], float32)
    seed, unused = raw.empty((_SEED_STATE,), int64), raw.empty((), int64)
    flops.work(flops.attention, query.shape, key.shape, value.shape)
    raw.dispatched("_scaled_dot_product_flash_attention", out, logsumexp, seed, unused)
    if node:
        node.save_output(logsumexp=logsumexp, output=out, rng_state=seed, unused=unused)
        node.made(out)
    return out


def _flash_workspace(query: Tensor, key: Tensor, out: Tensor, gradient: Tensor) -> int:
    """What backward allocates beside its results, in bytes.

    flash_attn/flash_api.cpp, `mha_bwd`: the sum of q's gradient and a number a row in float32, both in whole blocks of 128 rows; where
    several queries share a key, a gradient of k and v for each of them. attention_backward.cu, `_flash_attention_backward`: copies of the
    output and of its gradient where these do not lie token by token.
    """
    batch, heads, tokens, width = (int(size) for size in query.shape)
    rows = _round_up(tokens, 128)
    whole_width = _round_up(width, 32) if width <= 192 else _WIDEST
    nbytes = batch * heads * rows * (whole_width + 1) * float32.itemsize
    if key.shape[1] != query.shape[1]:
        nbytes += 2 * batch * heads * int(key.shape[2]) * width * query.dtype.itemsize
    return nbytes + sum(_bytes(each) for each in (out, gradient) if not _token_by_token(each))


def efficient(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """The memory-efficient kernel. Keeps q, k, v, the mask, the output, a log-sum-exp a row, and the generator's seed and offset.

    aten/src/ATen/native/transformers/cuda/attention.cu, `_efficient_attention_forward`: rows of the log-sum-exp come in blocks of 32.
    """
    bias = _as_bias(mask, query, key) if mask is not None else None
    node = None
    if wants_gradient(query, key, value):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept = {name: node.get(name) for name in node.saved}
            made = [_heads_last(kept[name].shape, kept[name].dtype) for name in ("query", "key", "value")]
            flops.work(flops.attention_backward, *(kept[name].shape for name in ("query", "key", "value")))
            raw.workspace(_efficient_workspace(kept["output"]))
            raw.dispatched("_scaled_dot_product_efficient_attention_backward", *made)
            return [*made]

        node = Node("ScaledDotProductEfficientAttention", (query, key, value), backward)
        if bias is not None:
            node.save(attn_bias=bias)
        node.save(key=key, query=query, value=value)
    batch, heads, tokens, _ = query.shape
    out = _heads_last((batch, heads, tokens, value.shape[3]), query.dtype)
    rows = tokens if int(tokens) % 32 == 0 else _round_up(int(tokens), 32)
    logsumexp = raw.empty((batch, heads, rows if node else 0), float32)
    seed, offset = raw.empty((), int64), raw.empty((), int64)
    flops.work(flops.attention, query.shape, key.shape, value.shape)
    raw.dispatched("_scaled_dot_product_efficient_attention", out, logsumexp, seed, offset)
    if node:
        node.save_output(log_sumexp=logsumexp, output=out, philox_offset=offset, philox_seed=seed)
        node.made(out)
    return out


def _efficient_workspace(out: Tensor) -> int:
    """What backward allocates beside its results, in bytes (attention_backward.cu, `_efficient_attention_backward`).

    A number a row; in float32 it is made outside of the kernel, of a product of the output's size, and copied once
    (mem_eff_attention/kernel_backward.h, `kKernelComputesDelta`).
    """
    rows = prod(map(int, out.shape[:3])) * float32.itemsize
    return rows if out.dtype in _HALVES else 2 * rows + _bytes(out)


def _as_bias(mask: Tensor, query: Tensor, key: Tensor) -> Tensor:
    """The mask for all rows; copied where its rows are no multiple of 16 (transformers/attention.cpp, `preprocess_mask`)."""
    if mask.requires_grad:
        raise UnknownCall("F.scaled_dot_product_attention", "on CUDA with a mask that wants a gradient")
    keys = mask.shape[-1]
    missing = -int(keys) % 16
    if missing:
        mask = slice_(pad(mask, (0, missing)), -1, 0, keys)
    return expand_to(mask, (*query.shape[:3], key.shape[2]))


def _like(tensor: Tensor) -> tuple[int, ...]:
    """The strides that `empty_like` gives."""
    return tensor.strides if tensor.is_dense() else output_strides(tensor.shape, [tensor])


def _heads_last(shape: tuple[int, ...], dtype: DType) -> Tensor:
    """A fresh [B, A, T, K] that lies as [B, T, A, K]."""
    heads, tokens, width = (int(size) for size in shape[1:])
    return raw.empty(shape, dtype, (tokens * heads * width, width, heads * width, 1))


def _token_by_token(tensor: Tensor) -> bool:
    """Whether [B, A, T, K] lies as [B, T, A, K]."""
    batch, heads, tokens, width = (int(size) for size in tensor.shape)
    strides = (tensor.strides[0], tensor.strides[2], tensor.strides[1], tensor.strides[3])
    sizes = (batch, tokens, heads, width)
    return all(size == 1 or a == b for size, a, b in zip(sizes, strides, contiguous_strides(sizes), strict=True))


def _bytes(tensor: Tensor) -> int:
    return prod(map(int, tensor.shape)) * tensor.dtype.itemsize


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
