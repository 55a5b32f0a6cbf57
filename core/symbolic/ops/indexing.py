"""`x[...]`: views by integers, slices, None and Ellipsis, one operator each as Python's binding makes them; tensors go to `index`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.index_tensors import index, index_put_
from tttdit.core.symbolic.ops.inplace import copy_, fill_
from tttdit.core.symbolic.ops.literals import from_list, from_number
from tttdit.core.symbolic.ops.views import expand, select, slice_, unsqueeze, view, viewing
from tttdit.core.symbolic.raw import dim_text, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor

Indices: TypeAlias = "list[Tensor | None]"


@known("Tensor.__getitem__")
def getitem(input: Tensor, at: Any) -> Tensor:
    """`input[at]`."""
    if isinstance(at, slice):
        return slice_(input, 0, *_bounds(input, 0, at))  # also where it is everything: a view of its own
    found, indices = _views(input, at)
    if indices:
        return index(found, indices)
    return _alias(input) if found is input else found


@known("Tensor.__setitem__")
def setitem(input: Tensor, at: Any, value: Any) -> None:
    """`input[at] = value`: a copy into a view, or `index_put_`."""
    if isinstance(value, (bool, int, float)):
        value = from_number(value, input.dtype)
    elif not isinstance(value, Tensor):
        raise UnknownCall("Tensor.__setitem__", f"with a {type(value).__name__}")
    found, indices = _views(input, at)
    if indices:
        index_put_(found, indices, _without_leading_ones(value))
    elif found.shape == value.shape:
        copy_(found, value)
    elif not value.shape:
        fill_(found, value)
    else:
        short = value.shape[_leading_ones(value) :]
        copy_(found, expand(view(value, short), _fitting(found, value)))


def _views(input: Tensor, at: Any) -> tuple[Tensor, Indices]:
    """Applies all that are views, from the left; what remains are the index tensors, at their dimensions."""
    steps = _steps(at)
    used = sum(1 for step in steps if step is not None and step is not Ellipsis)
    if used > input.ndim:
        raise ShapeMismatch(f"{used} indices for a tensor of {input.ndim} dimensions {shape_text(input.shape)}")
    found, dim = input, 0
    indices: Indices = []
    lists: dict[int, Sequence[Any]] = {}
    for step in steps:
        if step is Ellipsis:
            dim += input.ndim - used
        elif step is None:
            found = unsqueeze(found, dim)
            dim += 1
        elif isinstance(step, slice):
            start, stop, stride = _bounds(found, dim, step)
            # no operator for all of it; written as x[-n:], it is one all the same
            if step.start not in (None, 0) or stop != found.shape[dim] or stride != 1:
                found = slice_(found, dim, start, stop, stride)
            dim += 1
        elif isinstance(step, int):
            found = select(found, dim, step)
        elif isinstance(step, Tensor) and not step.shape and step.dtype.category == 1 and step.dtype.name != "uint8":
            if STATE.meter is not None:
                STATE.meter.sample("_local_scalar_dense", ())
            found = select(found, dim, 0)  # which one is data, what it looks like is not
        else:
            each = step if isinstance(step, Tensor) else from_list(step)
            if not isinstance(step, Tensor):
                lists[dim] = step
            indices += [None] * (dim - len(indices)) + [each]
            dim += max(each.ndim, 1) if each.dtype.name == "bool" else 1
    _check_lists(found, lists)
    return found, indices


def _check_lists(input: Tensor, lists: dict[int, Sequence[Any]]) -> None:
    """The numbers of an index that is a list are known, so they are looked at, as torch does if there is anything to read."""
    for dim, places in lists.items() if input.elements else ():
        for place in places:
            if type(place) is int and not -input.shape[dim] <= place < input.shape[dim]:
                raise ShapeMismatch(
                    f"index {place} is outside dimension {dim} of {shape_text(input.shape)}, {dim_text(input.shape[dim])}",
                    input.shape[dim],
                    place,
                )


def _steps(at: Any) -> Sequence[Any]:
    """The parts of an index, each of them known."""
    if isinstance(at, list) and any(
        each is None or each is Ellipsis or isinstance(each, (slice, list, tuple, Tensor)) for each in at
    ):
        raise UnknownCall(
            "indexing with a list of lists", "what torch makes of it depends on its version; write a tuple or a tensor"
        )
    steps = at if isinstance(at, tuple) else (at,)
    ellipses = 0
    for step in steps:
        if isinstance(step, bool):
            raise UnknownCall("indexing with True or False")
        if step is Ellipsis:
            ellipses += 1
        elif not (step is None or isinstance(step, (int, slice, Tensor, list, tuple, range))):
            raise UnknownCall(f"indexing with a {type(step).__name__}")
    if ellipses > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    return steps


def _bounds(input: Tensor, dim: int, given: slice) -> tuple[int, int, int]:
    """start, stop and step of a slice, within the dimension; a bound that is the dimension's end keeps its formula."""
    if not input.shape:
        raise ShapeMismatch("slice() cannot be applied to a tensor without dimensions")
    length = input.shape[dim]
    for bound in (given.start, given.stop, given.step):
        if isinstance(bound, Tensor):
            raise UnknownCall("a slice with a tensor as a bound", "its length depends on data")
        if not (bound is None or isinstance(bound, int)):
            raise TypeError(f"slice indices must be integers or None, not {type(bound).__name__}")
    step = 1 if given.step is None else given.step
    if step < 1:
        raise ValueError("step must be greater than zero")

    def within(bound: int) -> int:
        if bound < 0:
            bound = length + bound
        if bound <= 0:
            return 0
        return length if bound >= length else bound

    start = 0 if given.start is None else within(given.start)
    stop = length if given.stop is None else within(given.stop)
    return start, max(start, stop), step


def _alias(input: Tensor) -> Tensor:
    """`x[...]`: another view of everything."""
    return viewing("Alias", input, raw.view(input, input.shape, input.strides, "alias"), lambda gradient: gradient)


def _leading_ones(value: Tensor) -> int:
    for count, size in enumerate(value.shape):
        if size != 1:
            return count
    return value.ndim


def _without_leading_ones(value: Tensor) -> Tensor:
    ones = _leading_ones(value)
    return view(value, value.shape[ones:]) if ones else value


def _fitting(target: Tensor, value: Tensor) -> Sequence[int]:
    """The target's shape. Raises ShapeMismatch where the value does not broadcast to it."""
    short = value.shape[_leading_ones(value) :]
    for have, size in zip(reversed(target.shape), reversed(short), strict=False):
        if size not in (1, have):
            raise ShapeMismatch(
                f"assignment: {shape_text(value.shape)} does not fit into {shape_text(target.shape)}: "
                f"{dim_text(size)} against {dim_text(have)}",
                size,
                have,
            )
    if len(short) > target.ndim:
        raise ShapeMismatch(f"assignment: {shape_text(value.shape)} does not fit into {shape_text(target.shape)}")
    return target.shape
