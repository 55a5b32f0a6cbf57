"""Where CUDA's operators keep or allocate other bytes than the CPU's: what the rules for "cuda" predict, and what they leave out.

None of it has been measured by the tests, which run on the CPU, but the all-to-all, whose operator takes tensors of any device; sources are
files of PyTorch 2.13.
"""

from __future__ import annotations

from attrs import frozen

_NATIVE = "aten/src/ATen/native"
_ATTENTION = f"{_NATIVE}/transformers/cuda"


@frozen
class DeviceDifference:
    """What differs in one operator. `predicted`: the rules for CUDA count it; else it is left out of all figures."""

    operator: str
    difference: str
    source: str
    predicted: bool = True


CUDA_DIFFERENCES = (
    DeviceDifference(
        "scaled_dot_product_attention, half precision",
        "flash attention's CUDA kernel: q, k, v, output, a contiguous log-sum-exp in float32 and 24 bytes of generator state are kept; "
        "gradients have the layouts of q, k and v; a head width that is no multiple of 8 is padded",
        f"{_ATTENTION}/sdp_utils.cpp, can_use_flash_attention; flash_attn/flash_api.cpp, mha_fwd; "
        f"{_NATIVE}/transformers/attention.cpp, pad_last_dim",
    ),
    DeviceDifference(
        "its backward",
        "beside the gradients: q's gradient in float32 and a number a row, rows in whole blocks of 128; copies of the output and its "
        "gradient where they do not lie token by token",
        f"{_ATTENTION}/flash_attn/flash_api.cpp, mha_bwd; attention_backward.cu, _flash_attention_backward",
    ),
    DeviceDifference(
        "scaled_dot_product_attention, float32 or with a mask",
        "the memory-efficient kernel: rows of the log-sum-exp in blocks of 32, 16 bytes of generator state; a mask's rows padded to 16",
        f"{_ATTENTION}/attention.cu, _efficient_attention_forward; sdp_utils.cpp, can_use_mem_efficient_attention",
    ),
    DeviceDifference(
        "its backward",
        "beside the gradients: a number a row; in float32 two, and a product of the output's size",
        f"{_ATTENTION}/attention_backward.cu, _efficient_attention_backward; mem_eff_attention/kernel_backward.h, kKernelComputesDelta",
    ),
    DeviceDifference(
        "layer_norm, half precision",
        "mean and deviation of each row are kept in float32, on the CPU in the input's type",
        f"{_NATIVE}/cuda/layer_norm_kernel.cu, layer_norm_cuda",
    ),
    DeviceDifference(
        "rms_norm",
        "one operator that keeps its input, the weight and a deviation a row in float32; on the CPU it is composed of plain operators",
        f"{_NATIVE}/layer_norm.cpp, rms_norm_symint; cuda/layer_norm_kernel.cu, _fused_rms_norm_cuda",
    ),
    DeviceDifference(
        "dropout",
        "one operator that keeps a mask of a byte an element; on the CPU the mask has the input's type",
        f"{_NATIVE}/Dropout.cpp, is_fused_kernel_acceptable; cuda/Dropout.cu, native_dropout_cuda",
    ),
    DeviceDifference(
        "logsigmoid",
        "its buffer is empty; on the CPU it has the input's size",
        f"{_NATIVE}/cuda/Activation.cpp, log_sigmoid_forward_cuda",
    ),
    DeviceDifference(
        "max, min of all elements, backward",
        "the mask is compared with NaNs, and multiplied with the gradient's share; on the CPU zeros are filled",
        "torch/csrc/autograd/FunctionsManual.cpp, evenly_distribute_backward",
    ),
    DeviceDifference(
        "all-to-all among tensor-parallel ranks",
        "the pieces to send in a row, as many to receive, and these in order; a copy only where pieces do not lie so. On the CPU an "
        "all-gather, of which a piece may be a view that keeps the whole",
        "torch/csrc/distributed/c10d/Functional.cpp, shard_dim_alltoall; torch/distributed/tensor/_collective_utils.py, shard_dim_alltoall",
    ),
    DeviceDifference(
        "scaled_dot_product_attention, half precision, on compute capability 9.0 and 10.0 with cuDNN above 9.15",
        "torch prefers cuDNN's kernel: the same tensors, and a workspace that cuDNN asks for; flash attention's stands in its place",
        f"{_ATTENTION}/sdp_utils.cpp, check_prefer_cudnn_attention; {_NATIVE}/cudnn/MHA.cpp",
        predicted=False,
    ),
    DeviceDifference(
        "flash attention's forward",
        "partial outputs in float32, where batch, heads and blocks of 128 rows are too few to fill the GPU: depends on its multiprocessors",
        f"{_ATTENTION}/flash_attn/flash_api.cpp, set_params_splitkv",
        predicted=False,
    ),
    DeviceDifference(
        "the memory-efficient kernel's backward",
        "sums of k's and v's gradients, where blocks of keys are split to fill the GPU: depends on its multiprocessors",
        f"{_ATTENTION}/attention_backward.cu, _efficient_attention_backward",
        predicted=False,
    ),
    DeviceDifference(
        "layer_norm, backward",
        "partial sums of weight's and bias's gradients where there are more than 65,536 rows and few columns",
        f"{_NATIVE}/cuda/layer_norm_kernel.cu, LayerNormBackwardKernelImplInternal",
        predicted=False,
    ),
    DeviceDifference(
        "group_norm",
        "a few numbers a channel in float32 while it runs",
        f"{_NATIVE}/cuda/group_norm_kernel.cu, GroupNormKernelImplInternal",
        predicted=False,
    ),
    DeviceDifference(
        "sums and means over many elements",
        "partial sums and counters, where several blocks share one result",
        f"{_NATIVE}/cuda/Reduce.cuh, gpu_reduce_kernel",
        predicted=False,
    ),
    DeviceDifference(
        "matrix products",
        "a copy of an operand that lies neither by rows nor by columns",
        f"{_NATIVE}/cuda/Blas.cpp, prepare_matrix_for_cublas",
        predicted=False,
    ),
    DeviceDifference(
        "indexing and embeddings, backward; sort",
        "sorted copies of the indices",
        f"{_NATIVE}/cuda/Indexing.cu, index_put_with_sort_kernel; cuda/Embedding.cu, embedding_dense_backward_cuda",
        predicted=False,
    ),
    DeviceDifference(
        "convolutions",
        "the workspace of the algorithm that cuDNN chooses",
        f"{_NATIVE}/cudnn/Conv_v8.cpp",
        predicted=False,
    ),
)
