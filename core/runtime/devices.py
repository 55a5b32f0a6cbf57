"""What torch finds on this machine: for `tttdit doctor`."""

from __future__ import annotations

import torch
import torch.distributed as distributed
from attrs import frozen


@frozen
class Gpu:
    """One GPU. Bytes; `capability` is the compute capability, such as "9.0"."""

    name: str
    total_bytes: int
    free_bytes: int | None  # None where it does not answer
    capability: str
    reaches: tuple[int, ...]  # other GPUs whose memory it can access


@frozen
class Found:
    """torch and what it was built with; None for what it was built without."""

    torch: str
    cuda: str | None
    cudnn: str | None
    nccl: str | None
    gloo: bool
    threads: int
    gpus: tuple[Gpu, ...]


def found_by_torch() -> Found:
    """What torch finds."""
    cuda = torch.version.cuda
    cudnn = torch.backends.cudnn.version() if cuda is not None and torch.backends.cudnn.is_available() else None
    return Found(
        torch=torch.__version__,
        cuda=cuda,
        cudnn=_dotted(cudnn) if cudnn is not None else None,
        nccl=".".join(map(str, torch.cuda.nccl.version()))
        if cuda is not None and distributed.is_nccl_available()
        else None,
        gloo=distributed.is_available() and distributed.is_gloo_available(),
        threads=torch.get_num_threads(),
        gpus=tuple(map(_gpu, range(torch.cuda.device_count()))) if torch.cuda.is_available() else (),
    )


def _gpu(index: int) -> Gpu:
    properties = torch.cuda.get_device_properties(index)
    try:
        free, _ = torch.cuda.mem_get_info(index)
    except RuntimeError:
        free = None
    others = (other for other in range(torch.cuda.device_count()) if other != index)
    return Gpu(
        name=properties.name,
        total_bytes=properties.total_memory,
        free_bytes=free,
        capability=f"{properties.major}.{properties.minor}",
        reaches=tuple(other for other in others if torch.cuda.can_device_access_peer(index, other)),
    )


def _dotted(version: int) -> str:
    """cuDNN's number as people write it: 91002 is 9.10.2 (cudnn_version.h), 8902 was 8.9.2."""
    major, rest = divmod(version, 10_000 if version >= 90_000 else 1000)
    return f"{major}.{rest // 100}.{rest % 100}"
