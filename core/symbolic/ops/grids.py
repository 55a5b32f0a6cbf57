"""Grids of several vectors."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.joining import stack
from tttdit.core.symbolic.ops.views import expand, flatten, view
from tttdit.core.symbolic.raw import composite, shape_text
from tttdit.core.symbolic.tensor import Tensor


@known("torch.meshgrid")
@composite("meshgrid")
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Each tensor spread over the grid of all of them: views. "xy" exchanges the first two dimensions of the grid."""
    given = list(tensors[0]) if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else list(tensors)
    if not given:
        raise SymbolicError("meshgrid expects a non-empty list of tensors")
    for tensor in given:
        if tensor.ndim > 1:
            raise ShapeMismatch(f"meshgrid: {shape_text(tensor.shape)} has more than one dimension")
        if tensor.dtype is not given[0].dtype:
            raise SymbolicError("meshgrid expects all tensors to have the same dtype")
    if indexing not in (None, "ij", "xy"):
        raise UnknownCall("torch.meshgrid", f'with indexing = "{indexing}"')
    exchanged = indexing == "xy" and len(given) > 1
    if exchanged:
        given[0], given[1] = given[1], given[0]
    shape = tuple(tensor.shape[0] if tensor.shape else 1 for tensor in given)
    grids = []
    for at, tensor in enumerate(given):
        alone = view(tensor, (*(1,) * at, -1, *(1,) * (len(given) - at - 1)))
        grids.append(expand(alone, shape))
    if exchanged:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


@known("torch.cartesian_prod")
@composite("cartesian_prod")
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations, [n m ..., how many tensors]; of one tensor, the tensor."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(grid) for grid in meshgrid(*tensors, indexing="ij")], 1)
