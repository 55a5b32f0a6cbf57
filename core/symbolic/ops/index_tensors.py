"""Indexing by tensors of integers: aten's `index` and `index_put`.

Where the index tensors stand side by side, their common shape takes the place of the dimensions that they index; otherwise it goes to
the front. A mask (bool or uint8) makes a result whose size is data, so it is known only where nothing is made: `x[mask] = 0`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Backward, Gradients, Node, wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.inplace import change, rebase, write
from tttdit.core.symbolic.raw import dim_text, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.strides import contiguous_strides, output_strides, view_strides
from tttdit.core.symbolic.tensor import Size, Tensor

Indices = Sequence[Tensor | None]


def index(input: Tensor, indices: Indices) -> Tensor:
    """The elements at these indices; keeps the indices. Its backward makes zeros of the whole size and adds to them.

    torch/csrc/autograd/FunctionsManual.cpp, `index_backward`.
    """
    if any(_is_mask(each) for each in indices):
        raise UnknownCall(
            "indexing with a mask", "the result has as many elements as the mask has True, and a check has no data"
        )
    node = None
    if wants_gradient(input):
        shape = input.shape

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept = [saved.get() for saved in node.saved.values()]
            zeros = raw.new("new_zeros", shape, gradient.dtype)
            result = raw.onto("_index_put_impl" if STATE.in_place else "index_put", zeros)
            del kept
            return [result]

        node = Node("Index", (input,), backward)
        _save(node, indices)
    out = _index(input, indices)
    return node.made(out) if node else out


@known("torch.index_put", "Tensor.index_put")
def index_put(input: Tensor, indices: Indices, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of the tensor with other values at these indices."""
    _check_values(input, indices, values)
    node = None
    if wants_gradient(input, values):
        node = Node("IndexPut", (input, values), _put_backward(indices, values, accumulate))
        _save(node, indices)
    out = raw.like("index_put", input)
    return node.made(out) if node else out


@known("Tensor.index_put_")
def index_put_(input: Tensor, indices: Indices, values: Tensor, accumulate: bool = False) -> Tensor:
    """Other values at these indices, in place."""
    _check_values(input, indices, values)
    node = change("index_put_", "IndexPut", [input, values], _put_backward(indices, values, accumulate))
    if node:
        _save(node, indices)
    write("index_put_", input)
    return rebase(input, node)


def _put_backward(indices: Indices, values: Tensor, accumulate: bool) -> Backward:
    shape, dtype = values.shape, values.dtype
    count = len(indices)
    at = [dim for dim, each in enumerate(indices) if each is not None]

    def backward(node: Node, gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        kept: list[Tensor | None] = [None] * count
        for dim, saved in zip(at, node.saved.values(), strict=True):
            kept[dim] = saved.get()
        for_input = gradient if node.wants(0) else None
        if node.wants(0) and not accumulate:
            zeros = raw.new("zeros", shape, dtype)
            for_input = raw.like("index_put", gradient)
            del zeros
        return [for_input, _index(gradient, kept) if node.wants(1) else None]

    return backward


def _save(node: Node, indices: Indices) -> None:
    for dim, each in enumerate(indices):
        if each is not None:
            node.save(**{f"indices_{dim}": each})


def _index(input: Tensor, indices: Indices) -> Tensor:
    shape, operands = _plan(input, indices)
    return raw.dispatched("index", raw.empty(shape, input.dtype, output_strides(shape, operands)))


def _plan(input: Tensor, indices: Indices) -> tuple[Size, list[Tensor]]:
    """The result's shape, and what the iteration over it reads: the source, still where it is indexed, and the indices."""
    given = {dim: each for dim, each in enumerate(indices) if each is not None}
    for each in given.values():
        if each.dtype.name not in ("int64", "int32"):
            raise SymbolicError(
                f"tensors used as indices must be int64, int32, bool or uint8 tensors, not {each.dtype.name}"
            )
    common = raw.broadcast("indexing", *(each.shape for each in given.values()))
    first, last = min(given), max(given)
    lead = range(first) if len(given) == last - first + 1 else range(0)
    rest = [dim for dim in range(input.ndim) if dim not in given and dim not in lead]
    shape = Size((*(input.shape[dim] for dim in lead), *common, *(input.shape[dim] for dim in rest)))
    strides = (*(input.strides[dim] for dim in lead), *(0,) * len(common), *(input.strides[dim] for dim in rest))
    operands = [Tensor(shape, strides, input.dtype, input.storage)]
    for each in given.values():
        missing = len(common) - each.ndim
        expanded = [0] * missing
        for size, stride, wanted in zip(each.shape, each.strides, common[missing:], strict=True):
            expanded.append(stride if size == wanted else 0)
        among = (*(1,) * len(lead), *common, *(1,) * len(rest))
        place = view_strides(common, tuple(expanded), among) or contiguous_strides(among)
        operands.append(Tensor(among, place, each.dtype, each.storage))
    return shape, operands


def _check_values(input: Tensor, indices: Indices, values: Any) -> None:
    if not isinstance(values, Tensor):
        raise UnknownCall("Tensor.index_put", f"with a {type(values).__name__} as values")
    if values.dtype is not input.dtype:
        raise SymbolicError(
            f"index_put: the values are {values.dtype.name}, the tensor {input.dtype.name}; they must be of one type"
        )
    if any(_is_mask(each) for each in indices):
        if values.elements != 1 or values.requires_grad:
            raise UnknownCall("assignment through a mask", "of more than one number: how many fit is data")
        return
    wanted, _ = _plan(input, indices)
    have = values.shape
    for size, want in zip(reversed(have), reversed(wanted), strict=False):
        if size not in (1, want):
            raise ShapeMismatch(
                f"assignment through indices: {shape_text(have)} does not fit into {shape_text(wanted)}: "
                f"{dim_text(size)} against {dim_text(want)}",
                size,
                want,
            )
    if len(have) > len(wanted):
        raise ShapeMismatch(f"assignment through indices: {shape_text(have)} does not fit into {shape_text(wanted)}")


def _is_mask(each: Tensor | None) -> bool:
    return each is not None and each.dtype.name in ("bool", "uint8")
