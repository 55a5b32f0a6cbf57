"""GPUs: how much memory a process can have of each, and the workspace that cuBLAS takes there.

The memory of a GPU is what CUDA reports as its total (`cudaMemGetInfo`, `torch.cuda.get_device_properties(0).total_memory`). That is less
than what the maker sells and less than what nvidia-smi shows: the driver keeps some, and where ECC is on it costs some. It is published
where torch runs out of memory ("GPU 0 has a total capacity of 79.11 GiB"), in GiB with two digits. Drivers differ by less than 1 %; of
what was found the smallest is taken, so that a plan does not depend on the driver. `gpu_memory_gib` in a spec says it exactly.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from tttdit.core.spec.run_tables import Gpu, HardwareTable

GIB = 1 << 30
MIB = 1 << 20

# `parseChosenWorkspaceSize` in aten/src/ATen/cuda/CublasHandlePool.cpp: 32 MiB for compute capability 9, 10 and 12 (Blackwell since
# github.com/pytorch/pytorch/pull/175344), `:4096:2:16:8` (two of 4 MiB, eight of 16 KiB) elsewhere. cuBLASLt shares it
# (torch/backends/cuda/__init__.py, `blas_workspace_size`).
LARGE_WORKSPACE = 32 * MIB
SMALL_WORKSPACE = 2 * 4096 * 1024 + 8 * 16 * 1024
# One for each thread that multiplies matrices, on the one stream of computation (`cublas_handle_stream_to_workspace`: handles are
# a thread's own): the thread of forward, and autograd's thread of the device, which runs backward.
MULTIPLYING_THREADS = 2


@frozen
class GpuMemory:
    """A model of GPU: the memory that CUDA reports, in GiB as torch prints it, and cuBLAS's workspace for one thread, in bytes."""

    gib: float
    workspace: int

    @property
    def nbytes(self) -> int:
        """The memory in bytes."""
        return int(self.gib * GIB)


# Behind each: where an out-of-memory message of that GPU, or its properties, can be read. Those that say "logs" were found in public logs
# on GitHub, several of each.
MEMORY: Mapping[Gpu, GpuMemory] = {
    "A100-40GB": GpuMemory(39.38, SMALL_WORKSPACE),  # logs: 39.38 and 39.39; TianheWu/CoSeR#10 has 39.50
    "A100-80GB": GpuMemory(79.14, SMALL_WORKSPACE),  # lianqi1008/Control-GIC#6; levihsu/OOTDiffusion#235 has 79.25
    "L40S-48GB": GpuMemory(44.39, SMALL_WORKSPACE),  # logs: 44.39; QwenLM/Qwen3-VL#2097 has 44.40 for an L40
    "H100-80GB": GpuMemory(79.11, LARGE_WORKSPACE),  # vllm-project/vllm#27508
    "H100-94GB": GpuMemory(93.00, LARGE_WORKSPACE),  # ali-vilab/VACE#56 (H100 NVL); logs: up to 93.10
    "H200-141GB": GpuMemory(139.72, LARGE_WORKSPACE),  # logs: 139.72 to 139.81
    "B200-180GB": GpuMemory(178.35, LARGE_WORKSPACE),  # pytorch/ao#4002; logs: 178.35 and 178.36
    "RTX-4090-24GB": GpuMemory(23.51, SMALL_WORKSPACE),  # logs: 23.51 to 23.64; ali-vilab/VGen#104 has 23.64
    "RTX-5090-32GB": GpuMemory(31.34, LARGE_WORKSPACE),  # logs: 31.34 to 31.39
}


def budget_bytes(hardware: HardwareTable) -> int | None:
    """The memory of one GPU that a process can have; None where the spec neither names nor sizes it. `gpu_memory_gib` comes first."""
    if hardware.gpu_memory_gib is not None:
        return int(hardware.gpu_memory_gib * GIB)
    return MEMORY[hardware.gpu].nbytes if hardware.gpu is not None else None


def blas_workspaces(hardware: HardwareTable) -> tuple[int, ...]:
    """What cuBLAS keeps of torch's memory from its first product on, one size a thread. Of a GPU without a name: the larger."""
    size = LARGE_WORKSPACE if hardware.gpu is None else MEMORY[hardware.gpu].workspace
    return (size,) * MULTIPLYING_THREADS
