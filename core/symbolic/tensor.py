"""A tensor without data: shape, strides, dtype, storage, and its place in the autograd graph."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import strides as layout
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Storage

if TYPE_CHECKING:
    from tttdit.core.symbolic.autograd import AccumulateGrad, Node


class Size(tuple[int, ...]):
    """`torch.Size`: a tuple of dimensions."""

    __slots__ = ()

    def numel(self) -> int:
        """The product."""
        elements = 1
        for size in self:
            elements = elements * size
        return elements

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + tuple(other))

    def __getitem__(self, at: Any) -> Any:
        found = tuple.__getitem__(self, at)
        return Size(found) if isinstance(at, slice) else found

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(str(int(size)) for size in self)}])"


class Tensor:
    """What torch calls a tensor, less its numbers.

    `node` and `output` are its place in the graph (None: a leaf). A view holds its base, as in torch, so that a change in place finds
    what else it changes. Operators are methods put here by `tttdit.core.symbolic.names`.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_accumulator",
        "base",
        "creation",
        "dtype",
        "grad",
        "leaf_requires_grad",
        "node",
        "offset",
        "output",
        "seen",
        "shape",
        "storage",
        "strides",
    )

    shape: Size
    strides: layout.Strides
    dtype: DType
    storage: Storage
    offset: int
    base: Tensor | None
    creation: str
    node: Node | None
    output: int
    seen: int
    leaf_requires_grad: bool
    grad: Tensor | None
    _accumulator: weakref.ref[AccumulateGrad] | None

    parameter_type: ClassVar[type[Parameter] | None] = None  # what `nn.Parameter` makes of it; None: a Parameter

    def __init__(
        self,
        shape: Iterable[int],
        strides: layout.Strides,
        dtype: DType,
        storage: Storage,
        offset: int = 0,
        base: Tensor | None = None,
    ) -> None:
        self.shape = shape if type(shape) is Size else Size(shape)
        self.strides = strides
        self.dtype = dtype
        self.storage = storage
        self.offset = offset
        self.base = base
        self.creation = ""  # of a view: "no_grad" or "several" where it must not be changed in place
        self.seen = storage.version  # of a view: its history knows what happened to the memory until then
        self.node = None
        self.output = 0
        self.leaf_requires_grad = False
        self.grad = None
        self._accumulator = None

    # -- what it is

    @property
    def ndim(self) -> int:
        """How many dimensions."""
        return len(self.shape)

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to it; a view follows its base."""
        return self.leaf_requires_grad or self.node is not None or (self.base is not None and self.base.requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Says whether a leaf wants a gradient."""
        if self.node is not None and not requires_grad:
            raise RuntimeError("you can only change requires_grad flags of leaf variables")
        if requires_grad and not self.dtype.is_floating_point:
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if self.node is None:
            self.leaf_requires_grad = requires_grad
        return self

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph, without an operator; assigned, another memory under the same tensor."""
        return Tensor(self.shape, self.strides, self.dtype, self.storage, self.offset)

    @data.setter
    def data(self, other: Tensor) -> None:
        self.shape, self.strides, self.dtype = other.shape, other.strides, other.dtype
        self.storage, self.offset = other.storage, other.offset

    def same_memory(self) -> Tensor:
        """The same memory outside the graph, without an operator."""
        return Tensor(self.shape, self.strides, self.dtype, self.storage, self.offset)

    @property
    def is_leaf(self) -> bool:
        """Whether no operator with a gradient made it."""
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that made it."""
        return self.node

    @property
    def elements(self) -> int:
        """The number of its elements, as a plain int."""
        total = 1
        for size in self.shape:
            total *= int(size)
        return total

    def is_contiguous(self, memory_format: object = None) -> bool:
        """Whether its elements lie row by row."""
        return layout.is_contiguous(self.shape, self.strides)

    def is_dense(self) -> bool:
        """Whether its elements fill their memory without overlap."""
        return layout.is_dense(self.shape, self.strides)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return int(self.shape[0])

    def __repr__(self) -> str:
        return f"tensor of {[*self.shape]}, {self.dtype}"

    # -- what it cannot tell

    def __bool__(self) -> bool:
        raise UnknownCall("the truth of a tensor", "it depends on data, and a check has none")

    def __iter__(self) -> Any:
        return iter(self.unbind(0))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnknownCall(f"Tensor.{name}")

    __hash__ = object.__hash__


class Parameter(Tensor):
    """`torch.nn.Parameter`: a tensor that a module registers, and that wants a gradient."""

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        """Shares the data's storage."""
        return object.__new__(data.parameter_type or cls if data is not None else cls)

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        if data is None:
            data = given((0,))
        super().__init__(data.shape, data.strides, data.dtype, data.storage, data.offset)
        self.requires_grad_(requires_grad)


def given(shape: Iterable[int], dtype: DType | None = None, *, requires_grad: bool = False) -> Tensor:
    """A tensor that exists before a step: a parameter, a buffer, an input. No meter counts it."""
    from tttdit.core.symbolic.dtype import default_dtype

    dtype = dtype or default_dtype()
    shape = tuple(shape)
    meter, STATE.meter = STATE.meter, None
    try:
        storage = Storage(shape, dtype)
    finally:
        STATE.meter = meter
    return Tensor(shape, layout.contiguous_strides(shape), dtype, storage).requires_grad_(requires_grad)
