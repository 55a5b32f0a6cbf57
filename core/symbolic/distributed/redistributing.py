"""What one rank allocates while a tensor's parts change places among ranks.

Function by function what `redistribute_local_tensor` of PyTorch 2.13 does (torch/distributed/tensor/_redistribute.py, placement_types.py,
_collective_utils.py; torch/distributed/_functional_collectives.py) on the first rank of a mesh of one dimension, whose pieces are the
largest, and so need no padding where they are shared unevenly. Collectives are out of place. What waits for one takes no memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.distributed.placements import DeviceMesh, Partial, Placement, Replicate, Shard
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.strides import contiguous_strides
from tttdit.core.symbolic.tensor import Tensor

ALL_REDUCE, ALL_GATHER, ALL_TO_ALL = COLLECTIVES = "all_reduce", "all_gather_into_tensor", "shard_dim_alltoall"


def redistributed(
    local: Tensor, shape: Sequence[int], source: Placement, target: Placement, mesh: DeviceMesh
) -> Tensor:
    """The rank's part of a tensor of this shape, as `target` says, from that which `source` says: `redistribute_local_tensor`.

    Raises UnknownCall for ways between placements that no plan here needs.
    """
    if source == target:
        return local
    if isinstance(source, Partial) and isinstance(target, Replicate):
        return raw.new(ALL_REDUCE, local.shape, local.dtype)
    if isinstance(source, Shard) and isinstance(target, Replicate):
        return _whole(local, shape[source.dim], source.dim, mesh.ranks)
    if isinstance(source, Replicate) and isinstance(target, Shard):
        return raw.clone(_piece(local, target.dim, mesh.ranks))
    if isinstance(source, Shard) and isinstance(target, Shard):
        return _moved(local, shape, source.dim, target.dim, mesh.ranks)
    raise UnknownCall("DTensor.redistribute", f"from {source} to {target}")


def piece_of(size: int, ranks: int) -> int:
    """How many rows of so many the first rank has."""
    return -(-size // ranks)


def _whole(local: Tensor, size: int, dim: int, ranks: int) -> Tensor:
    """`Shard._to_replicate_tensor`: an all-gather, less the padding, in a row."""
    result = _all_gather(_contiguous(local), dim, ranks)
    return _contiguous(_first(result, dim, size))


def _piece(tensor: Tensor, dim: int, ranks: int) -> Tensor:
    """The first of `Shard._custom_chunk`'s pieces, a view."""
    return _first(tensor, dim, piece_of(tensor.shape[dim], ranks))


def _moved(local: Tensor, shape: Sequence[int], source: int, target: int, ranks: int) -> Tensor:
    """`Shard._to_new_shard_dim`: an all-to-all of what is padded to pieces of one size."""
    piece = piece_of(shape[target], ranks)
    if piece * ranks != local.shape[target]:
        local = raw.new("constant_pad_nd", _with(local.shape, target, piece * ranks), local.dtype)
    local = _contiguous(local)
    moved = _all_to_all(local, source, target, ranks)
    return _first(moved, source, shape[source])


def _all_to_all(local: Tensor, gather: int, shard: int, ranks: int) -> Tensor:
    """`shard_dim_alltoall`. Processes on CPUs gather all, and take their piece; a view of a piece that lies in a row keeps the whole."""
    if STATE.device == "cpu":
        whole = _all_gather(local, gather, ranks)
        return _contiguous(_piece(whole, shard, ranks))
    # torch/csrc/distributed/c10d/Functional.cpp: the pieces in a row, what has come, and this put where it belongs
    sent = local
    if not _lies_in_front(local.shape, shard):
        sent = raw.new("clone", local.shape, local.dtype)
    result = raw.new(ALL_TO_ALL, sent.shape, local.dtype)
    made = _with(_with(local.shape, shard, local.shape[shard] // ranks), gather, local.shape[gather] * ranks)
    if not _lies_in_front(local.shape, gather):
        return raw.new("clone", made, local.dtype)
    return raw.part(result, made, contiguous_strides(made), 0)


def _all_gather(local: Tensor, dim: int, ranks: int) -> Tensor:
    """`all_gather_single`: along the first dimension; another one is a view where all before it are 1, else a copy."""
    shape = local.shape
    gathered = raw.new(ALL_GATHER, (shape[0] * ranks, *shape[1:]), local.dtype)
    if dim == 0:
        return gathered
    whole = _with(shape, dim, shape[dim] * ranks)
    if _lies_in_front(shape, dim):
        return raw.view(gathered, whole, contiguous_strides(whole), "view")
    return raw.new("cat", whole, local.dtype)


def _lies_in_front(shape: Sequence[int], dim: int) -> bool:
    """Whether pieces along a dimension lie one behind the other: all dimensions before it are 1."""
    return all(size == 1 for size in shape[:dim])


def _first(tensor: Tensor, dim: int, size: int) -> Tensor:
    """So many of a dimension, from the first on, a view; the tensor itself where these are all."""
    return tensor if size == tensor.shape[dim] else raw.slice_(tensor, dim, 0, size)


def _contiguous(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_contiguous() else raw.clone(tensor, contiguous=True)


def _with(shape: Sequence[int], dim: int, size: int) -> tuple[int, ...]:
    """The shape with another size in one dimension."""
    return (*shape[:dim], size, *shape[dim + 1 :])
