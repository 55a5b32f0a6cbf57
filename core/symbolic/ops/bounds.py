"""Bounds: clamp, and the larger or smaller of two."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import SymbolicError
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import bool_, result_type
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.elementwise import Derivative, Elementwise, Formula, Kept
from tttdit.core.symbolic.ops.inplace import change, rebase, write
from tttdit.core.symbolic.raw import pointwise
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


def _inside(gradient: Tensor, kept: Kept) -> Tensor:
    # where(self >= min and self <= max, gradient, 0), with the bounds that there are
    bounds = [(test, kept[name]) for test, name in (("ge", "min"), ("le", "max")) if name in kept]
    zero = raw.new("scalar_tensor", (), gradient.dtype)
    tests = [pointwise(test, kept["self"], bound, dtype=bool_) for test, bound in bounds]
    condition = tests[0]
    if len(tests) > 1:
        numbers = not isinstance(bounds[0][1], Tensor)
        condition = _combined("logical_and", *tests) if not numbers else raw.inplace("logical_and_", tests[0])
    return pointwise("where", condition, gradient, zero, dtype=gradient.dtype)


def _combined(how: str, first: Tensor, second: Tensor) -> Tensor:
    # `clamp_backward` and `clamp_backward_min_max` of torch/csrc/autograd/FunctionsManual.cpp
    return raw.inplace(f"{how}_", first) if STATE.in_place else pointwise(how, first, second, dtype=bool_)


def _share(lost: str) -> Formula:
    """A gradient where the argument was chosen; half of it where both were. `lost` compares self with other where it was not."""

    def formula(gradient: Tensor, kept: Kept) -> Tensor:
        # where(self == other, gradient / 2, gradient), with zeros where self `lost` other
        half = pointwise("div", gradient)
        equal = pointwise("eq", kept["self"], kept["other"], dtype=bool_)
        made = pointwise("where", equal, half, gradient, dtype=gradient.dtype)
        mask = pointwise(lost, kept["self"], kept["other"], dtype=bool_)
        raw.inplace("masked_fill_", made)
        del mask
        return made

    return formula


def _larger(name: str, self_lost: str, other_lost: str) -> Elementwise:
    return Elementwise(
        name,
        "self other",
        Derivative("self", "other self", _share(self_lost)),
        Derivative("other", "other self", _share(other_lost)),
    )


_MAXIMUM = _larger("maximum", "lt", "gt")
_MINIMUM = _larger("minimum", "gt", "lt")
_CLAMP = {
    bounds: Elementwise("clamp", f"self {bounds}", Derivative("self", "self", _inside))
    for bounds in ("min max", "min", "max")
}


@known("torch.maximum", "Tensor.maximum")
def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two; keeps both."""
    return _MAXIMUM(input, other)


@known("torch.minimum", "Tensor.minimum")
def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two; keeps both."""
    return _MINIMUM(input, other)


@known("torch.clamp", "Tensor.clamp", "torch.clip", "Tensor.clip")
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Between two bounds, numbers or tensors; keeps the input, and bounds that are tensors."""
    if _check_bounds("clamp", min, max):
        return _clamp_by_tensors(input, min, max)
    operator, bounds = _clamp_by_numbers(min, max)
    return operator(input, *bounds)


@known("Tensor.clamp_", "Tensor.clip_", "torch.clamp_")
def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Between two bounds, in place; keeps a copy of what the input was."""
    if _check_bounds("clamp_", min, max):
        return _clamp_by_tensors(input, min, max, inplace=True)
    operator, bounds = _clamp_by_numbers(min, max)
    return operator.inplace(input, *bounds)


@known("torch.clamp_min", "Tensor.clamp_min")
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Not below a bound."""
    return clamp(input, min=min)


@known("Tensor.clamp_min_", "torch.clamp_min_")
def clamp_min_(input: Tensor, min: Any) -> Tensor:
    """Not below a bound, in place."""
    return clamp_(input, min=min)


@known("torch.clamp_max", "Tensor.clamp_max")
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Not above a bound."""
    return clamp(input, max=max)


@known("Tensor.clamp_max_", "torch.clamp_max_")
def clamp_max_(input: Tensor, max: Any) -> Tensor:
    """Not above a bound, in place."""
    return clamp_(input, max=max)


def _check_bounds(call: str, min: Any, max: Any) -> bool:
    """Whether the bounds are tensors."""
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds:
        raise SymbolicError(f"{call}: torch wants at least one of min and max")
    tensors = [isinstance(bound, Tensor) for bound in bounds]
    if any(tensors) and not all(tensors):
        raise SymbolicError(f"{call}: torch wants bounds that are both numbers or both tensors")
    return tensors[0]


def _clamp_by_numbers(min: float | None, max: float | None) -> tuple[Elementwise, list[float]]:
    """The operator for the bounds that there are, and these."""
    bounds = {name: bound for name, bound in (("min", min), ("max", max)) if bound is not None}
    return _CLAMP[" ".join(bounds)], list(bounds.values())


def _clamp_by_tensors(input: Tensor, min: Tensor | None, max: Tensor | None, *, inplace: bool = False) -> Tensor:
    bounds = {name: bound for name, bound in (("min", min), ("max", max)) if bound is not None}
    edges = {name: edge for edge, name in enumerate(bounds, start=1)}

    def backward(node: Node, gradients: Gradients) -> Gradients:
        (gradient,) = gradients
        assert gradient is not None
        kept = {name: node.get(name) for name in node.saved}
        made: Gradients = [None] * len(node.edges)
        if any(node.wants(edge) for edge in edges.values()):
            made[1:] = _bounds_gradients(gradient, kept, {name: node.wants(edge) for name, edge in edges.items()})
        if node.wants(0):
            made[0] = _inside(gradient, kept)
        return made

    inputs = (input, *bounds.values())
    original = node = None
    if inplace:
        node = change("clamp_", "Clamp", inputs, backward)
    elif wants_gradient(*inputs):
        node = Node("Clamp", inputs, backward)
    if node:
        for name in sorted(bounds):
            node.save(**{name: bounds[name]})
        if inplace:
            original = raw.clone(input)
        node.save(self=input if original is None else original)
    dtype = result_type(*inputs)
    if inplace:
        write("clamp_", *inputs, dtype=dtype)
        del original
        return rebase(input, node)
    out = pointwise("clamp", *inputs, dtype=dtype)
    return node.made(out) if node else out


def _bounds_gradients(gradient: Tensor, kept: Kept, wants: dict[str, bool]) -> Gradients:
    """The gradient of each bound: where it was the one that held."""
    zero = raw.new("scalar_tensor", (), gradient.dtype)
    made: Gradients = []
    for name, other, test, combine in (("min", "max", "lt", "logical_and"), ("max", "min", "gt", "logical_or")):
        if name not in wants:
            continue
        if not wants[name]:
            made.append(None)
            continue
        held = condition = pointwise(test, kept["self"], kept[name], dtype=bool_)
        crossed = None
        if other in wants:
            # min < max, or max < min, where both gradients would go to one place
            crossed = pointwise("lt", kept[name], kept[other], dtype=bool_)
            condition = _combined(combine, held, crossed)
        made.append(pointwise("where", condition, gradient, zero, dtype=gradient.dtype))
        del held, crossed, condition
    return made
