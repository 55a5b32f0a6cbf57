"""Rows of a table, and classes as ones and zeros."""

from __future__ import annotations

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import int32, int64
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.raw import composite, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


@known("F.embedding")
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of weight [rows, D] by index; keeps the indices. Its backward makes a gradient of the whole table."""
    if max_norm is not None or sparse:
        raise UnknownCall("F.embedding", "with max_norm or sparse gradients")
    if input.dtype not in (int32, int64):
        raise SymbolicError(f"embedding: indices of {input.dtype}; torch wants int32 or int64")
    if weight.ndim != 2:
        raise SymbolicError(f"embedding: a table of 2 dimensions is wanted, got {shape_text(weight.shape)}")
    node = None
    if wants_gradient(weight):
        shape, dtype = weight.shape, weight.dtype

        def backward(node: Node, gradients: Gradients) -> Gradients:
            indices = node.get("indices")
            made = raw.new("embedding_dense_backward", shape, dtype)
            del indices
            return [made]

        node = Node("Embedding", (weight,), backward)
        node.save(indices=input)
    out = raw.new("embedding", (*input.shape, weight.shape[1]), weight.dtype)
    return node.made(out) if node else out


@known("F.one_hot")
@composite("one_hot")
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Classes [...] as ones and zeros [..., num_classes], int64."""
    if num_classes < 0:
        raise UnknownCall("F.one_hot", "without num_classes: it depends on data, and a check has none")
    if tensor.dtype is not int64:
        raise SymbolicError(f"one_hot: classes of {tensor.dtype}; torch wants int64")
    _look_at_bounds(tensor)
    result = raw.new("zeros", (*tensor.shape, num_classes), int64)
    places = raw.unsqueeze(tensor, -1)
    raw.inplace("scatter_", result)
    del places
    return result


def _look_at_bounds(tensor: Tensor) -> None:
    """torch reads the smallest and the largest class."""
    least, most = raw.empty((), tensor.dtype), raw.empty((), tensor.dtype)
    raw.dispatched("aminmax", least, most)
    if STATE.meter is not None:
        for _ in range(2):
            STATE.meter.sample("_local_scalar_dense", ())
