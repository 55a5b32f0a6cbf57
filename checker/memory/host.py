"""Main memory of one node while `tttdit run` trains: what the ranks on it hold together, by holder.

The model of the run. A node has a launcher (torchrun) and one process for each of its GPUs. A rank has the data source's reading processes;
batches come through `torch.utils.data.DataLoader` with its default of two batches ahead for each reading process, into pinned memory. A
checkpoint is written by `torch.distributed.checkpoint`: every rank writes what it holds, float32 parameters and both moments of
AdamW. Asynchronously (`async_save`, whose default `DefaultStager` neither pins nor shares) a rank first copies all of it to main memory
and writes while training goes on; otherwise `FileSystemWriter` copies tensor by tensor, a bucket ahead of the file.

Not counted: files in the page cache (`page_cache_bytes`; the kernel gives it up when memory is wanted, as soon as it is on disk), what
loading a checkpoint needs at the start, NCCL's proxy threads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from tttdit.core.stage import Stage

if TYPE_CHECKING:
    from tttdit.core.symbolic.tape import Standing

KIB = 1 << 10

# Assumed: peak resident sets that github.com/pytorch/pytorch/issues/113326 measured (torch 2.2, CUDA 11.8): of `import torch`, and of a
# process that has asked for the GPUs and made a tensor there. They differ from build to build.
IMPORTED_TORCH = 322_040 * KIB
RANK_PROCESS = 2_056_600 * KIB

# `prefetch_factor` of torch.utils.data.DataLoader where there are reading processes (torch/utils/data/dataloader.py).
BATCHES_AHEAD = 2

# `per_thread_copy_ahead` of FileSystemWriter (torch/distributed/checkpoint/filesystem.py), which has one thread: as soon as so many bytes
# are under way `_OverlappingCpuLoader` waits; the tensor that reaches the limit is under way as a whole.
COPIED_AHEAD = 10_000_000

LOADED = ("video", "text")  # noise and levels are drawn on the GPU
SAVED = ("parameter", "optimizer")


def ranks_on_node(stage: Stage) -> int | None:
    """How many ranks the first node runs; None where the spec does not say."""
    mesh, hardware = stage.parallelism, stage.hardware
    ranks = mesh.dp_replicate * mesh.dp_sharding * mesh.tp_sharding
    if hardware.gpus_per_node is not None:
        return min(ranks, hardware.gpus_per_node)
    if ranks == 1:
        return 1
    return -(-ranks // hardware.nodes) if hardware.nodes is not None else None


def host_bytes(stage: Stage, standing: Collection[Standing]) -> Mapping[str, int]:
    """Main memory of one node, by holder; empty where the spec does not say how many ranks a node has.

    `standing` is what stands on the GPU of the rank that holds the most: parameters, optimizer state, and the batch that has arrived.
    """
    ranks = ranks_on_node(stage)
    if ranks is None:
        return {}
    saved = _saved(standing)
    batch = [one.nbytes for one in standing if one.kind == "input" and one.name in LOADED]
    data = stage.assembly.data
    readers = data.workers(stage.data) if data is not None else 0
    bucket = min(COPIED_AHEAD + max(saved, default=0), sum(saved))
    return {
        "processes": IMPORTED_TORCH + ranks * RANK_PROCESS,
        "data workers": ranks
        * (readers + 1 if readers else 0)
        * IMPORTED_TORCH,  # one more, from which the others are forked
        "batches": ranks * (BATCHES_AHEAD * readers + 1) * sum(map(pinned, batch)),
        "checkpoint": ranks * (sum(saved) if stage.checkpoint.asynchronous else bucket),
    }


def page_cache_bytes(stage: Stage, standing: Collection[Standing]) -> int:
    """What the page cache has of one checkpoint until it is on disk: of ranks that hold the same only one writes."""
    mesh, ranks = stage.parallelism, ranks_on_node(stage) or 0
    # tensor-parallel ranks are neighbours, and hold the same of what is not shared out over them
    of_each = min(ranks, mesh.dp_sharding * mesh.tp_sharding)
    of_one = min(-(-ranks // mesh.tp_sharding), mesh.dp_sharding)
    return sum(one.nbytes * (of_each if one.of_heads else of_one) for one in standing if one.kind in SAVED)


def _saved(standing: Collection[Standing]) -> list[int]:
    """Bytes of each tensor that a rank has in a checkpoint."""
    return [one.nbytes for one in standing if one.kind in SAVED]


def pinned(nbytes: int) -> int:
    """Bytes of pinned memory for a tensor: the next power of two (aten/src/ATen/core/CachingHostAllocator.h, `allocate`)."""
    return 1 << (nbytes - 1).bit_length() if nbytes else 0
