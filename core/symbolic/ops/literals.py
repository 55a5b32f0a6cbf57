"""Tensors made of Python's numbers and lists: shapes by counting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dtype import DType, default_dtype, of_number, promote
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.copies import detach, to
from tttdit.core.symbolic.ops.devices import check_device
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


@known("torch.tensor")
def tensor(
    data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor of a number, or of lists of numbers in lists; of another tensor, a copy outside the graph."""
    check_device(device)
    if isinstance(data, Tensor):
        source = detach(data)
        return _leaf(raw.like("_to_copy", source, dtype or data.dtype), requires_grad)
    return _leaf(_literal("torch.tensor", data, dtype), requires_grad)


@known("torch.as_tensor", "torch.asarray")
def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
    """A tensor as it is, or in another type; anything else as `torch.tensor` takes it."""
    check_device(device)
    if isinstance(data, Tensor):
        result: Tensor = to(data, dtype=dtype)
        return result
    return _literal("torch.as_tensor", data, dtype)


@known("Tensor.new_tensor")
def new_tensor(
    input: Tensor, data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Numbers as a tensor of this one's type."""
    check_device(device)
    if isinstance(data, Tensor):
        raise UnknownCall("Tensor.new_tensor", "of a tensor; write detach().clone()")
    return _leaf(_literal("Tensor.new_tensor", data, dtype or input.dtype), requires_grad)


@known("torch.scalar_tensor")
def scalar_tensor(s: float, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """A number as a tensor without dimensions, of the default floating type."""
    check_device(device)
    return raw.new("scalar_tensor", (), dtype or default_dtype())


def from_number(value: float, dtype: DType) -> Tensor:
    """A number as the tensor that an assignment makes of it."""
    return raw.new("lift_fresh", (), dtype)


def from_list(values: Sequence[Any]) -> Tensor:
    """Numbers as the tensor that an index makes of them."""
    return _literal("indexing", list(values), None)


def _leaf(made: Tensor, requires_grad: bool) -> Tensor:
    """Outside the graph. A custom operator's body sees that happen."""
    if STATE.in_operator:
        raw.dispatched("detach_", made)
    return made.requires_grad_(requires_grad)


def _literal(call: str, data: Any, dtype: DType | None) -> Tensor:
    shape = _counted(call, data)
    found = dtype
    if found is None:
        for number in _numbers(data):
            kind = of_number(number)
            found = kind if found is None else promote(found, kind)
    return raw.new("lift_fresh", shape, found or default_dtype())


def _counted(call: str, data: Any) -> tuple[int, ...]:
    """The shape of lists in lists. Raises ValueError where rows differ, as torch does."""
    if isinstance(data, (bool, int, float)):
        return ()
    if isinstance(data, Tensor):
        raise UnknownCall(call, "of a list of tensors, which reads their numbers; write torch.stack")
    if not isinstance(data, (list, tuple, range)):
        raise UnknownCall(call, f"of a {type(data).__name__}")
    inner: tuple[int, ...] | None = None
    for at, row in enumerate(data):
        shape = _counted(call, row)
        if inner is not None and shape != inner:
            raise ValueError(
                f"{call}: expected sequences of one shape: element 0 has {list(inner)}, element {at} {list(shape)}"
            )
        inner = shape
    return (len(data), *(inner or ()))


def _numbers(data: Any) -> Iterator[float]:
    if isinstance(data, Sequence):
        for row in data:
            yield from _numbers(row)
    else:
        yield data
