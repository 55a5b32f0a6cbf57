"""`torch.distributed.tensor.DTensor` on one rank of a mesh of one dimension: torch/distributed/tensor/_api.py.

Its shape is the whole tensor's; its memory is that of this rank's part, which it holds. Autograd goes through `from_local`, `to_local` and
`redistribute`; gradients between them are DTensors too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.distributed.placements import DeviceMesh, Partial, Placement, Replicate, Shard
from tttdit.core.symbolic.distributed.redistributing import piece_of, redistributed
from tttdit.core.symbolic.function import Function
from tttdit.core.symbolic.names import known_value
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.strides import Strides, view_strides
from tttdit.core.symbolic.tensor import Parameter, Tensor, given


class DTensor(Tensor):
    """A tensor of which this rank has a part, `local`."""

    parameter_type: ClassVar[type[Parameter] | None] = None
    local: Tensor
    device_mesh: DeviceMesh
    placement: Placement

    def __init__(self, local: Tensor, mesh: DeviceMesh, placement: Placement, shape: Sequence[int]) -> None:
        Tensor.__init__(self, shape, _strides(local, mesh, placement), local.dtype, local.storage)
        self.local, self.device_mesh, self.placement = local, mesh, placement

    @property
    def placements(self) -> tuple[Placement, ...]:
        """The placement, as torch has it: one for each dimension of the mesh."""
        return (self.placement,)

    @staticmethod
    def from_local(
        local_tensor: Tensor,
        device_mesh: DeviceMesh,
        placements: Sequence[Placement],
        *,
        run_check: bool = False,
        shape: Sequence[int] | None = None,
        stride: Strides | None = None,
    ) -> Any:
        """The tensor of which this is the rank's part; without a shape that of parts which are all alike."""
        placement = _placed(placements, local_tensor.ndim)
        if shape is None:
            shape = _whole_shape(local_tensor.shape, device_mesh, placement)
        return _FromLocal.apply(local_tensor, device_mesh, placement, shape)

    def to_local(self, *, grad_placements: Sequence[Placement] | None = None) -> Any:
        """This rank's part; `grad_placements` says what its gradient is of the whole gradient."""
        if not STATE.grad_enabled:
            return self.local
        given_back = self.placement if grad_placements is None else _placed(grad_placements, self.ndim)
        return _ToLocal.apply(self, given_back)

    def redistribute(self, device_mesh: DeviceMesh | None = None, placements: Sequence[Placement] | None = None) -> Any:
        """The same tensor with its parts elsewhere."""
        if placements is None:
            raise UnknownCall("DTensor.redistribute", "without placements")
        return _Redistribute.apply(self, _placed(placements, self.ndim))

    def same_memory(self) -> DTensor:
        """See `Tensor.same_memory`."""
        return DTensor(self.local.same_memory(), self.device_mesh, self.placement, self.shape)

    def plus(self, other: DTensor) -> DTensor:
        """The sum, part by part, out of place."""
        local = raw.pointwise("add", self.local, other.local)
        return DTensor(local, self.device_mesh, self.placement, self.shape)


class DistributedParameter(DTensor, Parameter):
    """`nn.Parameter` of a DTensor."""

    def __init__(self, data: DTensor, requires_grad: bool = True) -> None:
        DTensor.__init__(self, data.local, data.device_mesh, data.placement, data.shape)
        self.requires_grad_(requires_grad)


DTensor.parameter_type = DistributedParameter


class _FromLocal(Function):
    """`_FromTorchTensor`."""

    @staticmethod
    def forward(ctx: Any, local: Tensor, mesh: DeviceMesh, placement: Placement, shape: Sequence[int]) -> DTensor:
        ctx.set_materialize_grads(False)
        ctx.mesh, ctx.placement = mesh, placement
        return DTensor(_another_look(local), mesh, placement, shape)

    @staticmethod
    def backward(ctx: Any, gradient: DTensor | None) -> tuple[Any, ...]:
        if gradient is None:
            return None, None, None, None
        wanted = Replicate() if isinstance(ctx.placement, Partial) else ctx.placement
        if gradient.placement != wanted:
            moved = redistributed(gradient.local, gradient.shape, gradient.placement, wanted, ctx.mesh)
            return moved, None, None, None
        return gradient.to_local(), None, None, None


class _ToLocal(Function):
    """`_ToTorchTensor`."""

    @staticmethod
    def forward(ctx: Any, tensor: DTensor, gradient: Placement) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.mesh, ctx.placement, ctx.shape = tensor.device_mesh, gradient, tensor.shape
        return _another_look(tensor.local)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> tuple[Any, ...]:
        if gradient is None:
            return None, None
        return DTensor.from_local(gradient, ctx.mesh, (ctx.placement,), shape=ctx.shape), None


class _Redistribute(Function):
    """`Redistribute`; its backward is `_redistribute_backward`."""

    @staticmethod
    def forward(ctx: Any, tensor: DTensor, target: Placement) -> DTensor:
        ctx.placement = tensor.placement
        return _redistribute(tensor, target)

    @staticmethod
    def backward(ctx: Any, gradient: DTensor) -> tuple[Any, ...]:
        return _redistribute(gradient, Replicate() if isinstance(ctx.placement, Partial) else ctx.placement), None


def _redistribute(tensor: DTensor, target: Placement) -> DTensor:
    local = redistributed(tensor.local, tensor.shape, tensor.placement, target, tensor.device_mesh)
    return DTensor(local, tensor.device_mesh, target, tensor.shape)


def distribute_tensor(
    tensor: Tensor, device_mesh: DeviceMesh, placements: Sequence[Placement], *, src_data_rank: int | None = 0
) -> DTensor:
    """A tensor that exists before a step, of which this rank keeps its part."""
    placement, shape = _placed(placements, tensor.ndim), tensor.shape
    local = tensor
    if isinstance(placement, Shard):
        rows = piece_of(shape[placement.dim], device_mesh.ranks)
        local = given((*shape[: placement.dim], rows, *shape[placement.dim + 1 :]), tensor.dtype)
    return DTensor(local, device_mesh, placement, shape)


def _placed(placements: Sequence[Placement], dims: int) -> Placement:
    """The placement, with dimensions counted from the front."""
    (placement,) = placements
    return Shard(placement.dim % dims) if isinstance(placement, Shard) else placement


def _another_look(tensor: Tensor) -> Tensor:
    """`view_as` itself: a tensor object of its own."""
    strides = view_strides(tensor.shape, tensor.strides, tensor.shape)
    return raw.view(tensor, tensor.shape, strides or tensor.strides, "view")


def _whole_shape(shape: Sequence[int], mesh: DeviceMesh, placement: Placement) -> tuple[int, ...]:
    if not isinstance(placement, Shard):
        return tuple(shape)
    return tuple(size * mesh.ranks if at == placement.dim else size for at, size in enumerate(shape))


def _strides(local: Tensor, mesh: DeviceMesh, placement: Placement) -> Strides:
    """`compute_global_tensor_info` of torch/distributed/tensor/_utils.py."""
    if not isinstance(placement, Shard):
        return local.strides
    own = local.strides[placement.dim]
    return tuple(
        stride * int(mesh.ranks) if at != placement.dim and stride >= own else stride
        for at, stride in enumerate(local.strides)
    )


known_value("torch.distributed.tensor.DTensor", DTensor)
known_value("torch.distributed.tensor.distribute_tensor", distribute_tensor)
