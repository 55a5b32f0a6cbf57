"""What a rank's process takes of its GPU behind torch's back: the CUDA context, and NCCL's buffers.

`torch.cuda.memory_reserved` does not know of it, nvidia-smi does. Neither is in the spec's hands, and of neither is there a documented
number for a GPU: what is assumed stands here under its name, and in docs/memory.md.
"""

from __future__ import annotations

from tttdit.core.spec.run_tables import ParallelismTable

MIB = 1 << 20

# Assumed. Nobody documents it; it depends on the GPU, on the driver and on the kernels that have been used, since CUDA loads them when they
# are (CUDA_MODULE_LOADING=LAZY). Where a process without NCCL ran out of memory, torch's message says what it had in all, and what of
# that was torch's own: 503 MiB apart on an A100 of 80 GB (lianqi1008/Control-GIC#6), 501 on one of 40 GB (TianheWu/CoSeR#10), 507 on an
# L40 (QwenLM/Qwen3-VL#2097), to the 10 MiB that the message's digits allow. The largest of the three.
CUDA_CONTEXT = 507 * MIB

# A connection's buffers at the receiver, one for each protocol (`computeBuffSizes`, src/init.cc): LL 8 lines x 512 threads x 8 steps x 16
# bytes, LL128 120 elements x 640 threads x 8 steps x 8 bytes, Simple 4 MiB (NCCL_BUFFSIZE).
CONNECTION = 8 * 512 * 8 * 16 + 120 * 640 * 8 * 8 + 4 * MIB
# GPUs map memory in pages of 2 MiB: each connection is 10 MiB at the receiver, and a page at the sender, as NCCL's log of allocations
# shows (NVIDIA/nccl#1685: "one type of size 10485760, the other type of size 2097152").
PAGE = 2 * MIB
# Assumed: all that there can be (MAXCHANNELS, src/include/devcomm.h). How many there are NCCL decides by links and GPUs.
CHANNELS = 32


def outside_bytes(mesh: ParallelismTable) -> int:
    """The context, and rings for each dimension of the mesh that has more than one rank: each is a communicator of its own."""
    sizes = (mesh.dp_replicate, mesh.dp_sharding, mesh.tp_sharding)
    return CUDA_CONTEXT + sum(ring_bytes() for size in sizes if size > 1)


def ring_bytes() -> int:
    """NCCL's buffers for one communicator: in every channel a connection from the rank before and one to the rank behind.

    All-gather, reduce-scatter and large all-reduce go around rings; what trees, NVLS and point-to-point messages add is not
    counted. More memory for more communicators and channels, and only two connections a ring: NVIDIA/nccl#986.
    """
    received = -(-CONNECTION // PAGE) * PAGE
    return CHANNELS * (received + PAGE)
