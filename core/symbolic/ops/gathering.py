"""Reading and writing along one dimension at given indices: index_select, gather, scatter and their kin.

Results are contiguous, whatever the input's layout. Backwards add to zeros, in place or not (`raw.onto`): `index_select_backward_symint`
and `gather_backward` of aten/src/ATen/native/TensorAdvancedIndexing.cpp.
"""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.repeating import expand_to
from tttdit.core.symbolic.ops.views import view
from tttdit.core.symbolic.raw import axis, composite, dim_text, shape_text
from tttdit.core.symbolic.strides import Shape
from tttdit.core.symbolic.tensor import Size, Tensor


@known("torch.index_select", "Tensor.index_select")
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """These elements of a dimension; keeps the index. Its backward makes zeros of the whole size and adds to them."""
    at = axis(input, dim)
    _check_index("index_select", index, ("int64", "int32"), (0, 1))
    if not input.shape:
        raise UnknownCall("torch.index_select", "of a tensor without dimensions")
    node = None
    if wants_gradient(input):
        whole = input.shape

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept = node.get("index")
            zeros = raw.new("new_zeros", whole, gradient.dtype)
            result = raw.onto("index_add", zeros)
            del kept, zeros
            return [result]

        node = Node("IndexSelect", (input,), backward)
        node.save(index=index)
    out = _select("index_select", input, at, index)
    return node.made(out) if node else out


@known("torch.index_add", "Tensor.index_add")
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """The tensor with `alpha source` added at these elements of a dimension; keeps the index and the source."""
    at = axis(input, dim)
    _check_index("index_add", index, ("int64", "int32"), (0, 1))
    _check_source("index_add", input, at, index, source)
    node = None
    if wants_gradient(input, source):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            for_source = None
            if node.wants(1):
                kept = node.get("index"), node.get("source")
                for_source = _read(gradient, at, kept[0], kept[1].shape)
                if alpha != 1:
                    for_source = raw.pointwise("mul", for_source)
                del kept
            return [gradient, for_source]

        node = Node("IndexAdd", (input, source), backward)
        if node.wants(1):
            node.save(index=index, source=source)
    out = raw.new("index_add", input.shape, input.dtype)
    return node.made(out) if node else out


@known("torch.index_copy", "Tensor.index_copy")
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """The tensor with other values at these elements of a dimension; keeps the index and the source."""
    at = axis(input, dim)
    _check_index("index_copy", index, ("int64",), (0, 1))
    _check_source("index_copy", input, at, index, source)
    node = None
    if wants_gradient(input, source):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            index = node.get("index")
            source = node.get("source") if node.wants(1) else None
            for_input = raw.like("index_fill", gradient) if node.wants(0) else None
            for_source = _read(gradient, at, index, source.shape) if source is not None else None
            return [for_input, for_source]

        node = Node("IndexCopy", (input, source), backward)
        node.save(index=index)
        if node.wants(1):
            node.save(source=source)
    out = raw.new("index_copy", input.shape, input.dtype)
    return node.made(out) if node else out


@known("torch.index_fill", "Tensor.index_fill")
def index_fill(input: Tensor, dim: int, index: Tensor, value: float) -> Tensor:
    """The tensor with one number at these elements of a dimension; keeps the index."""
    axis(input, dim)
    _check_index("index_fill", index, ("int64",), (0, 1))
    if isinstance(value, Tensor):
        raise UnknownCall("torch.index_fill", "with a tensor as the value")
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept = node.get("index")
            result = raw.like("index_fill", gradient)
            del kept
            return [result]

        node = Node("IndexFill", (input,), backward)
        node.save(index=index)
    out = raw.like("index_fill", input)
    return node.made(out) if node else out


@known("torch.gather", "Tensor.gather")
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """One element for each index; keeps the tensor and the index. Its backward makes zeros and adds to them."""
    at = axis(input, dim)
    _check_index("gather", index, ("int64", "int32"), (input.ndim,))
    _check_within("gather", index, input, at)
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept = node.get("index"), node.get("input")
            zeros = raw.new("new_zeros", kept[1].shape, gradient.dtype)
            result = raw.onto("scatter_add", zeros)
            del kept, zeros
            return [result]

        node = Node("Gather", (input,), backward)
        node.save(index=index, input=input)
    out = raw.new("gather", index.shape, input.dtype)
    return node.made(out) if node else out


@known("torch.scatter", "Tensor.scatter")
def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: float | None = None) -> Tensor:
    """The tensor with other values at these places; keeps the index."""
    return _scatter("scatter", input, axis(input, dim), index, value if src is None else src)


@known("torch.scatter_add", "Tensor.scatter_add")
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """The tensor with values added at these places; keeps the index."""
    return _scatter("scatter_add", input, axis(input, dim), index, src)


def _scatter(name: str, input: Tensor, at: int, index: Tensor, src: Any) -> Tensor:
    _check_index(name, index, ("int64", "int32"), (input.ndim,))
    _check_within(name, index, input, at)
    if isinstance(src, Tensor):
        if src.dtype is not input.dtype:
            raise SymbolicError(f"{name}: the values are {src.dtype.name}, the tensor {input.dtype.name}")
        _check_within(name, index, src, None)
        if src.requires_grad and src.shape != index.shape:
            raise SymbolicError(
                f"{name}: the values {shape_text(src.shape)} want a gradient, which torch makes in the index's shape "
                f"{shape_text(index.shape)}"
            )
    replaces = name == "scatter"
    node = None
    if wants_gradient(input, src):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept = node.get("index") if node.saved else None
            for_input = gradient if node.wants(0) else None
            if replaces and node.wants(0):
                for_input = raw.new("scatter", gradient.shape, gradient.dtype)
            for_src = None
            if node.wants(1):
                assert kept is not None
                for_src = raw.new("gather", kept.shape, gradient.dtype)
            return [for_input, for_src]

        node = Node(name, (input, src), backward)
        if replaces or node.wants(1):
            node.save(index=index)
    out = raw.new(name, input.shape, input.dtype)
    return node.made(out) if node else out


@known("torch.take_along_dim", "Tensor.take_along_dim")
@composite("take_along_dim")
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` with the tensor and the indices broadcast against each other in all other dimensions."""
    if dim is None:
        return gather(view(input, -1), 0, view(indices, -1))
    at = axis(input, dim)
    if indices.ndim != input.ndim:
        raise ShapeMismatch(
            f"take_along_dim: {shape_text(input.shape)} has {input.ndim} dimensions, the indices {shape_text(indices.shape)} "
            f"have {indices.ndim}"
        )
    _check_index("take_along_dim", indices, ("int64",), (input.ndim,))
    read = (*input.shape[:at], indices.shape[at], *input.shape[at + 1 :])
    places = expand_to(indices, raw.broadcast("take_along_dim", read, indices.shape))
    kept = (*indices.shape[:at], input.shape[at], *indices.shape[at + 1 :])
    source = expand_to(input, raw.broadcast("take_along_dim", kept, input.shape))
    wrapped = raw.pointwise("remainder", places)
    return gather(source, at, wrapped)


def _select(name: str, input: Tensor, at: int, index: Tensor) -> Tensor:
    length = index.shape[0] if index.shape else 1
    return raw.new(name, (*input.shape[:at], length, *input.shape[at + 1 :]), input.dtype)


def _read(gradient: Tensor, at: int, index: Tensor, shape: Size) -> Tensor:
    """The gradient of what was written at the index."""
    return raw.expand(_select("index_select", gradient, at, index), shape)


def _check_index(call: str, index: Tensor, dtypes: tuple[str, ...], dims: tuple[int, ...]) -> None:
    if not isinstance(index, Tensor):
        raise UnknownCall(f"torch.{call}", f"with a {type(index).__name__} as the index")
    if index.dtype.name not in dtypes:
        raise SymbolicError(f"{call}: an index of {index.dtype.name}; it must be {' or '.join(dtypes)}")
    if index.ndim not in dims:
        raise ShapeMismatch(
            f"{call}: the index {shape_text(index.shape)} should have {' or '.join(map(str, dims))} dimensions"
        )


def _check_source(call: str, input: Tensor, at: int, index: Tensor, source: Tensor) -> None:
    if source.dtype is not input.dtype:
        raise SymbolicError(f"{call}: the source is {source.dtype.name}, the tensor {input.dtype.name}")
    if source.ndim != input.ndim or not source.shape or index.ndim != 1:
        raise UnknownCall(f"torch.{call}", f"of {shape_text(source.shape)} into {shape_text(input.shape)}")
    wanted: Shape = (*input.shape[:at], index.shape[0], *input.shape[at + 1 :])
    for dim, (have, want) in enumerate(zip(source.shape, wanted, strict=True)):
        if have != want:
            raise ShapeMismatch(
                f"{call} along dimension {at}: the source {shape_text(source.shape)} should be {shape_text(wanted)}: "
                f"dimension {dim} is {dim_text(have)} against {dim_text(want)}",
                have,
                want,
            )


def _check_within(call: str, index: Tensor, other: Tensor, but: int | None) -> None:
    """The index reaches no further than the other tensor, but in the dimension that it indexes."""
    if other.ndim != index.ndim:
        raise ShapeMismatch(
            f"{call}: the index {shape_text(index.shape)} and {shape_text(other.shape)} have different numbers of dimensions"
        )
    for dim, (have, most) in enumerate(zip(index.shape, other.shape, strict=True)):
        if dim != but and have > most:
            raise ShapeMismatch(
                f"{call}: the index {shape_text(index.shape)} reaches beyond {shape_text(other.shape)} in dimension {dim}: "
                f"{dim_text(have)} against {dim_text(most)}",
                have,
                most,
            )
