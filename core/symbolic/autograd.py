"""Autograd: nodes, what they save, and the modes.

The order in which things are saved and let go is torch's, because it decides what lives when: saved inputs are packed before the
operator runs, saved outputs after it, kept outside the graph so that it does not hold itself.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ContextDecorator, contextmanager
from typing import Any, TypeAlias

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.state import STATE, SavedHooks
from tttdit.core.symbolic.strides import Shape, Strides
from tttdit.core.symbolic.tensor import Size, Tensor

Gradients: TypeAlias = "list[Tensor | None]"
Edge: TypeAlias = "tuple[Node, int]"
Backward: TypeAlias = "Callable[[Node, Gradients], Sequence[Tensor | None]]"

_sequence = itertools.count()


class Saved:
    """A tensor kept for backward, packed by the saved-tensor hooks in force."""

    __slots__ = ("unpack", "value", "version")

    def __init__(self, tensor: Tensor) -> None:
        # hooks may keep whatever they like, so that what they give back cannot be compared
        self.version = tensor.storage.version if not STATE.saved_hooks else None
        if STATE.saved_hooks:
            pack, self.unpack = STATE.saved_hooks[-1]
            self.value: Any = pack(tensor)
        else:
            self.value, self.unpack = tensor, None  # type: ignore[assignment]

    def get(self) -> Tensor:
        """The tensor again. Raises SymbolicError if it has been changed in place since."""
        if self.version is not None:
            check_unchanged(self.value, self.version)
        if self.unpack is not None:
            return raw.alias(self.unpack(self.value))  # a tensor of its own: what hooks give back may hold a graph
        assert isinstance(self.value, Tensor)
        return self.value


def check_unchanged(tensor: Tensor, version: int) -> None:
    """Raises SymbolicError if the tensor is not any more what it was at this version."""
    if tensor.storage.version != version:
        raise SymbolicError(
            f"a tensor of {raw.shape_text(tensor.shape)} that backward needs was changed in place after it had been saved: "
            f"{tensor.storage.version - version} times; torch refuses that; clone it before the change"
        )


class Node:
    """One differentiable operator in the graph.

    `backward(node, gradients)` makes one gradient for each edge, None where none is wanted. Saved tensors are let go when it ran.
    """

    __slots__ = (
        "__weakref__", "backward", "edges", "hooks", "line", "name", "place", "region", "results", "rule", "saved", "sequence",
    )  # fmt: skip

    def __init__(self, name: str, inputs: Sequence[Any], backward: Backward) -> None:
        self.name = name
        self.sequence = next(_sequence)
        self.edges: list[Edge | None] = [edge(tensor) if isinstance(tensor, Tensor) else None for tensor in inputs]
        self.saved: dict[str, Saved] = {}
        self.backward = backward
        self.hooks: tuple[Callable[[], None], ...] = ()  # called before backward: hooks of a result, told no gradient
        self.results: list[tuple[Size, DType]] = []
        self.place = STATE.place
        self.region = STATE.region
        meter = STATE.meter
        self.line, self.rule = meter.lines() if meter is not None else ("", "")

    def wants(self, index: int) -> bool:
        """Whether a gradient for this input has somewhere to go."""
        return self.edges[index] is not None

    def save(self, /, **tensors: Tensor) -> None:
        """Keeps inputs for backward."""
        for name, tensor in tensors.items():
            self.saved[name] = Saved(tensor)

    def save_output(self, /, **tensors: Tensor) -> None:
        """Keeps results for backward, outside the graph."""
        for name, tensor in tensors.items():
            self.saved[name] = Saved(raw.alias(tensor))

    def get(self, name: str) -> Tensor:
        """What was saved."""
        return self.saved[name].get()

    def made(self, *tensors: Tensor) -> Tensor:
        """These are its results; gives back the first."""
        for tensor in tensors:
            tensor.node, tensor.output = self, len(self.results)
            self.results.append((tensor.shape, tensor.dtype))
        return tensors[0]


class AccumulateGrad:
    """The end of an edge at a leaf: puts the gradient there."""

    __slots__ = ("__weakref__", "results", "variable")
    sequence = 1 << 62  # before every other node
    edges: Sequence[Edge | None] = ()

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable
        self.results = [(variable.shape, variable.dtype)]


def edge(tensor: Tensor) -> Edge | None:
    """Where a gradient for the tensor goes."""
    if tensor.base is not None and tensor.seen != tensor.storage.version:
        renew_view(tensor)
    if tensor.node is not None:
        return tensor.node, tensor.output
    if not tensor.leaf_requires_grad:
        return None
    accumulator = tensor._accumulator() if tensor._accumulator is not None else None
    if accumulator is None:
        accumulator = AccumulateGrad(tensor)
        tensor._accumulator = weakref.ref(accumulator)
    return accumulator, 0  # type: ignore[return-value]


def renew_view(tensor: Tensor) -> None:
    """What a view looks at was changed in place: the view's history is now a piece of its base's."""
    base = tensor.base
    assert base is not None
    if tensor.node is None and not base.requires_grad:
        return
    refuse_change(tensor, "its base or another view of its base was changed")
    shape, strides, offset = tensor.shape, tensor.strides, tensor.offset
    base_shape, base_strides, base_offset = base.shape, base.strides, base.offset

    def backward(node: Node, gradients: Gradients) -> Gradients:
        gradient = gradients[0]
        assert gradient is not None
        return [scatter(gradient, shape, strides, offset, base_shape, base_strides, base_offset)]

    Node("AsStrided", (base,), backward).made(tensor)
    tensor.seen = tensor.storage.version


def refuse_change(tensor: Tensor, what: str = "it is being changed") -> None:
    """Raises SymbolicError for a view that must not change in place while gradients are recorded."""
    if tensor.creation == "several":
        raise SymbolicError(
            f"{what} in place, and a view of {raw.shape_text(tensor.shape)} is one of several that one operator made (split, "
            "chunk, unbind): torch refuses that; use an operator out of place"
        )
    if tensor.creation == "no_grad":
        raise SymbolicError(
            f"{what} in place with gradients recorded, and a view of {raw.shape_text(tensor.shape)} was made under no_grad: torch "
            "refuses that; make the view and the change both inside no_grad or both outside"
        )


def scatter(
    gradient: Tensor,
    shape: Shape,
    strides: Strides,
    offset: int,
    base_shape: Shape,
    base_strides: Strides,
    base_offset: int,
) -> Tensor:
    """The gradient of a base from that of a view of it: `as_strided_backward` of FunctionsManual.cpp."""
    if 0 in shape or 0 in base_shape:
        return raw.new("zeros", base_shape, gradient.dtype)
    kept: list[int] = []
    for at in range(len(shape) - 1, -1, -1):
        if shape[at] == 1:
            gradient = raw.squeeze(gradient, [at])
        elif strides[at] == 0:
            gradient = raw.reduce("sum", gradient, [at], keepdim=False)
        else:
            kept.insert(0, at)
    shape, strides = [shape[at] for at in kept], tuple(strides[at] for at in kept)
    if overlaps(shape, strides) or overlaps(base_shape, base_strides):
        raise UnknownCall("backward of a change in place", "of memory whose views overlap themselves")
    shared = min(offset, base_offset)
    elements = max(_reach(base_shape, base_strides, base_offset - shared), _reach(shape, strides, offset - shared))
    memory = raw.new("new_zeros", (elements,), gradient.dtype)
    piece = raw.view(memory, shape, strides, "as_strided", offset - shared)
    raw.inplace("copy_", piece)
    del piece
    return raw.view(memory, base_shape, base_strides, "as_strided", base_offset - shared)


def overlaps(shape: Shape, strides: Strides) -> bool:
    """Whether two elements may lie at one place; `_maybe_overlapping_memory` of FunctionsManual.cpp."""
    highest = 0
    for stride, size in sorted((stride, int(size)) for size, stride in zip(shape, strides, strict=True) if size != 1):
        if stride <= highest:
            return True
        highest += stride * (size - 1)
    return False


def _reach(shape: Shape, strides: Strides, offset: int) -> int:
    """How many elements of memory a tensor needs."""
    return 1 + offset + sum(stride * (int(size) - 1) for size, stride in zip(shape, strides, strict=True))


def wants_gradient(*tensors: Any) -> bool:
    """Whether an operator on these becomes part of a graph."""
    if STATE.grad_enabled:
        for tensor in tensors:
            if isinstance(tensor, Tensor) and tensor.requires_grad:
                return True
    return False


class _GradMode(ContextDecorator):
    """A context manager and decorator that turns recording on or off."""

    enabled = False

    def __enter__(self) -> None:
        self._before, STATE.grad_enabled = STATE.grad_enabled, self.enabled

    def __exit__(self, *exception: object) -> None:
        STATE.grad_enabled = self._before

    def _recreate_cm(self) -> _GradMode:
        return type(self)()


class no_grad(_GradMode):  # noqa: N801 - torch's name
    """`torch.no_grad`."""


class enable_grad(_GradMode):  # noqa: N801 - torch's name
    """`torch.enable_grad`."""

    enabled = True


@contextmanager
def saved_tensors_hooks(pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]) -> Iterator[None]:
    """What is saved goes through `pack`, and through `unpack` when backward wants it."""
    hooks: SavedHooks = (pack, unpack)
    depth = len(STATE.saved_hooks)
    STATE.saved_hooks.append(hooks)
    try:
        yield
    finally:
        del STATE.saved_hooks[depth:]
