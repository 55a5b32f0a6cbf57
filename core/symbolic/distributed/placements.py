"""Where a tensor's parts lie: `torch.distributed.tensor.placement_types` and a mesh of one dimension."""

from __future__ import annotations

from attrs import frozen

from tttdit.core.symbolic.names import known_value


class Placement:
    """What each rank of a mesh has of a tensor."""

    def is_shard(self, dim: int | None = None) -> bool:
        """Whether each has a piece, along this dimension."""
        return False

    def is_replicate(self) -> bool:
        """Whether each has all."""
        return False

    def is_partial(self, reduce_op: str | None = None) -> bool:
        """Whether each has a summand."""
        return False


@frozen
class Shard(Placement):
    """Each rank has a piece along dimension `dim`: so many rows, rounded up, and the last ranks fewer or none."""

    dim: int

    def is_shard(self, dim: int | None = None) -> bool:
        """Whether it is along this dimension."""
        return dim is None or dim == self.dim


@frozen
class Replicate(Placement):
    """All ranks have the same."""

    def is_replicate(self) -> bool:
        """They have."""
        return True


@frozen
class Partial(Placement):
    """Each rank has a summand of the tensor."""

    reduce_op: str = "sum"

    def is_partial(self, reduce_op: str | None = None) -> bool:
        """Whether the summands come together by this operation."""
        return reduce_op is None or reduce_op == self.reduce_op


@frozen
class DeviceMesh:
    """So many ranks in a row. The first of them is meant wherever it matters which one it is: its pieces are the largest."""

    ranks: int

    def size(self, mesh_dim: int | None = None) -> int:
        """How many there are."""
        return self.ranks


for _kind in (Placement, Shard, Replicate, Partial):
    known_value(f"torch.distributed.tensor.{_kind.__name__}", _kind)
    known_value(f"torch.distributed.tensor.placement_types.{_kind.__name__}", _kind)
known_value("torch.distributed.device_mesh.DeviceMesh", DeviceMesh)
known_value("torch.distributed.tensor.DeviceMesh", DeviceMesh)
