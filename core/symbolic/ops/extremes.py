"""Largest and smallest elements, and elements in order."""

from __future__ import annotations

from typing import Any, NamedTuple

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType, bool_, int64
from tttdit.core.symbolic.names import NAMES, known
from tttdit.core.symbolic.ops.reductions import reduced_dims
from tttdit.core.symbolic.raw import axis, composite, dim_text, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Size, Tensor


class Chosen(NamedTuple):
    """Some elements along a dimension, and where they were."""

    values: Tensor
    indices: Tensor


def _outermost(name: str) -> Any:
    def outermost(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
        dims = reduced_dims(input, dim)
        listed = [] if not isinstance(dim, int) and not len(dim) else dims
        node = None
        if wants_gradient(input):

            def backward(node: Node, gradients: Gradients) -> Gradients:
                (gradient,) = gradients
                assert gradient is not None
                result, kept = node.get("result"), node.get("input")
                mask = raw.pointwise("eq", _restored(result, listed, keepdim), kept, dtype=bool_)
                gradient = _restored(gradient, listed, keepdim)
                count = raw.reduce("sum", mask, dims, keepdim=True, dtype=int64)
                return [raw.pointwise("mul", raw.pointwise("div", gradient, count), mask)]

            node = Node(name, (input,), backward)
            node.save(input=input)
        out = raw.reduce(name, input, dims, keepdim=keepdim)
        if node:
            node.save_output(result=out)
            node.made(out)
        return out

    outermost.__name__ = name
    outermost.__doc__ = f"`{name}` over dimensions; keeps its input and itself. Equal elements share the gradient."
    return known(f"torch.{name}", f"Tensor.{name}")(outermost)


def _restored(tensor: Tensor, dims: list[int], keepdim: bool) -> Tensor:
    if keepdim:
        return tensor
    rest = iter(tensor.shape)
    shape = [1 if i in dims else next(rest) for i in range(tensor.ndim + len(dims))]
    return raw.reshape(tensor, shape)


amax = _outermost("amax")
amin = _outermost("amin")


def _extreme(name: str, elementwise: str) -> Any:
    def extreme(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
        if isinstance(dim, Tensor):
            other = dim
        if other is not None:
            if elementwise not in NAMES:
                raise UnknownCall(f"torch.{name}", "of two tensors")
            return NAMES[elementwise](input, other)
        if dim is None:
            return _extreme_of_all(name, input)
        return _along(name, input, axis(input, dim), keepdim)

    extreme.__name__ = name
    extreme.__doc__ = f"The {name} of all elements; with a dimension, values and indices along it."
    return known(f"torch.{name}", f"Tensor.{name}")(extreme)


def _extreme_of_all(name: str, input: Tensor) -> Tensor:
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            result, kept = node.get("result"), node.get("input")
            return [_spread_evenly(gradient, kept, result)]

        node = Node(name, (input,), backward)
        node.save(input=input)
    out = raw.reduce(name, input, range(input.ndim), keepdim=False)
    if node:
        node.save_output(result=out)
        node.made(out)
    return out


def _spread_evenly(gradient: Tensor, input: Tensor, value: Tensor) -> Tensor:
    """The gradient, shared by all elements that equal the value (torch/csrc/autograd/FunctionsManual.cpp, `evenly_distribute_backward`)."""
    if STATE.in_place and STATE.device == "cpu":
        missing = raw.pointwise("isnan", value, dtype=bool_)
        if STATE.meter is not None:
            STATE.meter.sample("_local_scalar_dense", ())
        mask = raw.pointwise("eq", input, value, dtype=bool_)
        del missing
        made = raw.new("new_zeros", input.shape, input.dtype)
        share = raw.pointwise("div", gradient, raw.reduce("sum", mask, range(input.ndim), keepdim=False, dtype=int64))
        raw.inplace("masked_fill_", made)
        del share
        return made
    missing = raw.pointwise("isnan", input, dtype=bool_)
    lost = raw.pointwise("isnan", value, dtype=bool_)
    both = raw.onto("logical_and", missing)
    mask = raw.inplace("logical_or_", raw.pointwise("eq", input, value, dtype=bool_))
    count = raw.reduce("sum", mask, range(input.ndim), keepdim=False, dtype=int64)
    made = raw.pointwise("mul", mask, raw.pointwise("div", gradient, count))
    del missing, lost, both
    return made


def _along(name: str, input: Tensor, at: int, keepdim: bool) -> Chosen:
    shape = [1 if i == at else size for i, size in enumerate(input.shape) if keepdim or i != at]
    return _chosen(name, input, at, keepdim, raw.empty(shape, input.dtype), raw.empty(shape, int64))


def _chosen(name: str, input: Tensor, at: int, keepdim: bool, values: Tensor, indices: Tensor) -> Chosen:
    """Keeps the indices; the gradient is scattered into zeros.

    aten/src/ATen/native/ReduceOps.cpp, `value_selecting_reduction_backward_symint`.
    """
    node = None
    if wants_gradient(input):
        shape = input.shape

        def backward(node: Node, gradients: Gradients) -> Gradients:
            gradient = gradients[0]
            assert gradient is not None
            indices = node.get("indices")
            if not keepdim and shape:
                gradient, indices = raw.unsqueeze(gradient, at), raw.unsqueeze(indices, at)
            zeros = raw.new("zeros", shape, gradient.dtype)
            return [raw.onto("scatter", zeros)]

        node = Node(name, (input,), backward)
    raw.dispatched(name, values, indices)
    if node:
        node.save_output(indices=indices)
        node.made(values)
    return Chosen(values, indices)


max = _extreme("max", "torch.maximum")
min = _extreme("min", "torch.minimum")


@known("torch.median", "Tensor.median")
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Chosen:
    """The middle one along a dimension: values and indices."""
    if dim is None:
        raise UnknownCall("torch.median", "of all elements; along a dimension it is known")
    return _along("median", input, axis(input, dim), keepdim)


def _place(name: str) -> Any:
    def place(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return raw.reduce(name, input, reduced_dims(input, dim), keepdim=keepdim, dtype=int64)

    place.__name__ = name
    place.__doc__ = f"Where the {name[3:]} element is, as int64."
    return known(f"torch.{name}", f"Tensor.{name}")(place)


argmax = _place("argmax")
argmin = _place("argmin")


@known("torch.topk", "Tensor.topk")
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Chosen:
    """The k largest (or smallest) along a dimension: values and indices."""
    at = axis(input, dim)
    if input.shape and k > input.shape[at]:
        raise ShapeMismatch(
            f"topk: {dim_text(k)} of dimension {at} of {shape_text(input.shape)}, which has {dim_text(input.shape[at])}",
            k,
            input.shape[at],
        )
    shape = Size((*input.shape[:at], k, *input.shape[at + 1 :])) if input.shape else input.shape
    return _chosen("topk", input, at, True, raw.empty(shape, input.dtype), raw.empty(shape, int64))


@known("torch.sort", "Tensor.sort")
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Chosen:
    """In order along a dimension: values and indices, laid out as the input where it is dense."""
    strides = input.strides if input.is_dense() else None
    values = raw.empty(input.shape, input.dtype, strides)
    return _chosen("sort", input, axis(input, dim), True, values, raw.empty(input.shape, int64, strides))


@known("torch.argsort", "Tensor.argsort")
@composite("argsort")
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Tensor:
    """The indices that sort."""
    return sort(input, dim, descending).indices


def _running(name: str) -> Any:
    def running(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
        at = axis(input, dim)
        out_type = dtype or (input.dtype if input.dtype.is_floating_point else int64)
        if name == "cumprod" and wants_gradient(input):
            raise UnknownCall("torch.cumprod", "with a gradient")
        out = raw.new(name, input.shape, out_type)
        if wants_gradient(input):
            own = input.dtype

            def backward(node: Node, gradients: Gradients) -> Gradients:
                (gradient,) = gradients
                assert gradient is not None
                gradient = raw.cast(gradient, own)
                if gradient.elements <= 1 or gradient.shape[at] == 1:
                    return [gradient]
                return [_reversed_sum(gradient)]

            Node("Cumsum", (input,), backward).made(out)
        return out

    running.__name__ = name
    running.__doc__ = f"`{name}` along a dimension; keeps nothing."
    return known(f"torch.{name}", f"Tensor.{name}")(running)


def _reversed_sum(gradient: Tensor) -> Tensor:
    flipped = raw.like("flip", gradient)
    summed = raw.new("cumsum", flipped.shape, flipped.dtype)
    return raw.like("flip", summed)


cumsum = _running("cumsum")
cumprod = _running("cumprod")
