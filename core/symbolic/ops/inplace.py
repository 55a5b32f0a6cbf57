"""Changes in place, and what they do to the graph.

An operator in place is written as

    node = change("mul_", "Mul", [input, other], backward)  # may it? None where nothing is recorded
    ... node.save(...) ...
    write("mul_", input, other)                             # the raw operator
    return rebase(input, node)                              # the new history of the tensor, or of the base that it is a view of

A tensor that is no view gets the operator's node. Where a view changes, its base does: the base gets a `CopySlices` node, which cuts the
view's piece out of the base's gradient, lets the operator's backward work on that, and puts the result back; the view's own history, like
that of every other view of the base, is made anew from the base's when somebody asks for it (`autograd.edge`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import ShapeMismatch, SymbolicError
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Backward, Gradients, Node, edge, refuse_change, wants_gradient
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.raw import dim_text, shape_text
from tttdit.core.symbolic.strides import Shape, Strides
from tttdit.core.symbolic.tensor import Tensor


def change(call: str, name: str, inputs: Sequence[Any], backward: Backward) -> Node | None:
    """The node of an operator that changes the first of its inputs in place; None where nothing is recorded.

    Raises SymbolicError where torch forbids the change.
    """
    if not wants_gradient(*inputs):
        return None
    target = inputs[0]
    if target.base is not None:
        refuse_change(target, f"{call}: it is being changed")
        if target.requires_grad and target.base.is_leaf:
            raise SymbolicError(
                f"{call}: a view of a leaf that requires grad, {shape_text(target.shape)}, is changed in place"
            )
        if target.requires_grad and target.is_leaf:
            raise SymbolicError(
                f"{call}: a view of {shape_text(target.shape)} is changed in place that was made before its base became part of the "
                "graph; torch takes it for a leaf that requires grad and refuses: make the view anew"
            )
    elif target.requires_grad and target.is_leaf:
        raise SymbolicError(f"{call}: a leaf that requires grad, {shape_text(target.shape)}, is changed in place")
    return Node(name, inputs, backward)


# written to one place twice, these leave there what they would have left at once
_IDEMPOTENT = frozenset({"fill_", "masked_fill_", "zero_"})


def write(call: str, target: Tensor, *others: Any, dtype: DType | None = None) -> Tensor:
    """The raw operator, after checks that the others broadcast to the target, and that its memory can take the result.

    `dtype` is the result's, where the target must be able to hold that.
    """
    for other in others:
        if isinstance(other, Tensor):
            _check_shape(call, target, other)
            _check_memory(call, target, other)
    if call not in _IDEMPOTENT and not (call == "copy_" and target is others[0]):
        _refuse_expanded(call, target.shape, target.strides)
    if dtype is not None and dtype.category > target.dtype.category:
        raise SymbolicError(f"{call}: a result of {dtype} cannot be put into a tensor of {target.dtype}")
    return raw.inplace(call, target)


def rebase(target: Tensor, node: Node | None) -> Tensor:
    """Gives a changed tensor its new history; gives back the tensor."""
    if node is None:
        return target
    base = target.base
    if base is None:
        node.made(target)
        return target
    slices = Node("CopySlices", (base,), _copy_slices(node.backward, target, base))
    slices.edges += node.edges[1:]
    slices.saved, node.saved = node.saved, {}
    slices.made(base)
    edge(target)
    return target


def _copy_slices(inner: Backward, view: Tensor, base: Tensor) -> Backward:
    shape, strides, offset = view.shape, view.strides, view.offset - base.offset
    base_shape, base_strides = base.shape, base.strides

    def backward(node: Node, gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        whole = raw.dispatched("new_empty_strided", raw.empty(base_shape, gradient.dtype, base_strides))
        raw.inplace("copy_", whole)
        piece = raw.view(whole, shape, strides, "as_strided", offset)
        made = list(inner(node, [raw.clone(piece, contiguous=True)]))
        if node.wants(0) and made[0] is not None:
            _refuse_expanded("backward of a change in place", shape, strides)
            raw.inplace("copy_", piece)
            made[0] = whole
        return made

    return backward


def _refuse_expanded(call: str, shape: Shape, strides: Strides) -> None:
    if 0 in strides and any(stride == 0 and size > 1 for size, stride in zip(shape, strides, strict=True)):
        raise SymbolicError(
            f"{call}: {shape_text(shape)} with strides {strides} is expanded: several of its elements lie at one place, and cannot be "
            "changed in place; clone it first"
        )


def _check_shape(call: str, target: Tensor, other: Tensor) -> None:
    if other.shape == target.shape:
        return
    missing = target.ndim - other.ndim
    for at, size in enumerate(other.shape):
        have = target.shape[missing + at] if missing + at >= 0 else None
        if size == 1 and have is not None:
            continue
        if size != have:
            raise ShapeMismatch(
                f"{call}: {shape_text(other.shape)} does not fit into {shape_text(target.shape)}, which is changed in place"
                + (
                    f": dimension {missing + at} is {dim_text(have)} against {dim_text(size)}"
                    if have is not None
                    else ""
                ),
                have,
                size,
            )


def _check_memory(call: str, target: Tensor, other: Tensor) -> None:
    """Two tensors in one memory must be the same or lie apart, as far as torch looks."""
    if target is other or target.storage is not other.storage or not (target.is_dense() and other.is_dense()):
        return
    start, stop = target.offset, target.offset + target.elements
    other_start, other_stop = other.offset, other.offset + other.elements
    same = (start, stop, target.strides) == (other_start, other_stop, other.strides)
    if not same and start < other_stop and other_start < stop:
        raise SymbolicError(
            f"{call}: {shape_text(target.shape)} and {shape_text(other.shape)} overlap in memory; clone one of them before the change"
        )


@known("Tensor.copy_")
def copy_(input: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Other values into the tensor's memory."""
    dtype = src.dtype

    def backward(node: Node, gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        return [
            raw.new("zeros_like", gradient.shape, gradient.dtype) if node.wants(0) else None,
            raw.cast(gradient, dtype) if node.wants(1) else None,
        ]

    node = change("copy_", "Copy", (input, src), backward) if input.dtype.is_floating_point else None
    write("copy_", input, src)
    return rebase(input, node)


@known("Tensor.fill_")
def fill_(input: Tensor, value: Any) -> Tensor:
    """One value everywhere: a number, or a tensor without dimensions."""
    if isinstance(value, Tensor) and value.ndim:
        raise SymbolicError(
            f"fill_ takes a number or a tensor without dimensions, not one of {shape_text(value.shape)}"
        )

    if isinstance(value, Tensor):
        _refuse_expanded("fill_", input.shape, input.strides)

    def backward(node: Node, gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        made: Gradients = [raw.like("zeros_like", gradient) if node.wants(0) else None]
        if len(node.edges) > 1:
            whole = range(gradient.ndim)
            made.append(raw.reduce("sum", gradient, whole, keepdim=False) if node.wants(1) else None)
        return made

    node = change("fill_", "Fill", (input, value) if isinstance(value, Tensor) else (input,), backward)
    write("fill_", input)
    return rebase(input, node)


def _overwrite(call: str, node_name: str, input: Tensor) -> Tensor:
    """Values that depend on nothing: what was there gets a gradient of zeros."""

    def backward(node: Node, gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        return [raw.like("zeros_like", gradient)]

    node = change(call, node_name, (input,), backward)
    write(call, input)
    return rebase(input, node)


@known("Tensor.zero_")
def zero_(input: Tensor) -> Tensor:
    """Zeros everywhere."""
    return _overwrite("zero_", "Zero", input)


@known("Tensor.normal_")
def normal_(input: Tensor, mean: float = 0, std: float = 1, *, generator: Any = None) -> Tensor:
    """Normal numbers, were there any."""
    return _overwrite("normal_", "Normal", input)


@known("Tensor.uniform_")
def uniform_(input: Tensor, from_: float = 0, to: float = 1, *, generator: Any = None) -> Tensor:
    """Uniform numbers, were there any."""
    return _overwrite("uniform_", "Uniform", input)
