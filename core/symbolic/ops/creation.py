"""Tensors out of nothing: zeros, ones, numbers in a row, random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.dtype import DType, default_dtype, int64, of_number
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.devices import check_device
from tttdit.core.symbolic.ops.views import sizes_of
from tttdit.core.symbolic.raw import shape_text
from tttdit.core.symbolic.tensor import Tensor

# What a factory takes beside its sizes and its dtype. None of it changes bytes: memory is of one kind here, and numbers are not kept.
PLAIN = frozenset({"device", "layout", "pin_memory", "requires_grad", "generator", "memory_format", "non_blocking"})
PRESERVED = (None, "preserve_format")


def made(call: str, shape: Sequence[Any], dtype: DType, options: dict[str, Any]) -> Tensor:
    """A fresh contiguous tensor, as a factory of torch makes it."""
    check_options(call, options)
    if options.get("memory_format", "contiguous_format") != "contiguous_format":
        raise UnknownCall(call, f"with memory_format = {options['memory_format']}")
    for size in shape:
        if not isinstance(size, int):
            raise TypeError(f"{call}: a size must be an int, not {type(size).__name__}: {size}")
        if size < 0:
            raise ShapeMismatch(f"{call}: a dimension of {raw.dim_text(size)} in {shape_text(shape)}", size)
    return raw.new(call.rpartition(".")[2], shape, dtype).requires_grad_(bool(options.get("requires_grad")))


def made_like(call: str, input: Tensor, dtype: DType | None, options: dict[str, Any]) -> Tensor:
    """A fresh tensor of another one's shape; of its layout too, where that is dense."""
    check_options(call, options)
    memory_format = options.get("memory_format")
    name = call.rpartition(".")[2]
    if memory_format in PRESERVED:
        out = raw.like(name, input, dtype)
    elif memory_format == "contiguous_format":
        out = raw.new(name, input.shape, dtype or input.dtype)
    else:
        raise UnknownCall(call, f"with memory_format = {memory_format}")
    return out.requires_grad_(bool(options.get("requires_grad")))


def check_options(call: str, options: dict[str, Any]) -> None:
    """Raises UnknownCall for what no factory takes here."""
    for name, value in options.items():
        if name not in PLAIN:
            raise UnknownCall(call, f"with {name}")
        if name == "device":
            check_device(value)
        if name == "layout" and value not in (None, "strided"):
            raise UnknownCall(call, f"with layout = {value}")


def _size(given: Sequence[Any], size: Any) -> tuple[Any, ...]:
    if size is None and len(given) == 1 and isinstance(given[0], float):
        return tuple(given)
    return sizes_of(given) if size is None else tuple(size)


def _factory(name: str) -> Callable[..., Tensor]:
    call = f"torch.{name}"

    def factory(*shape: Any, size: Any = None, dtype: DType | None = None, **options: Any) -> Tensor:
        return made(call, _size(shape, size), dtype or default_dtype(), options)

    factory.__name__, factory.__doc__ = name, f"`{call}` of these sizes."
    return known(call)(factory)


def _factory_like(name: str) -> Callable[..., Tensor]:
    call = f"torch.{name}"

    def factory(input: Tensor, *, dtype: DType | None = None, **options: Any) -> Tensor:
        return made_like(call, input, dtype, options)

    factory.__name__, factory.__doc__ = (
        name,
        f"`{call}`: the shape of another tensor, and its layout where that is dense.",
    )
    return known(call)(factory)


def _factory_new(name: str) -> Callable[..., Tensor]:
    call = f"Tensor.{name}"

    def factory(input: Tensor, *shape: Any, size: Any = None, dtype: DType | None = None, **options: Any) -> Tensor:
        return made(call, _size(shape, size), dtype or input.dtype, options)

    factory.__name__, factory.__doc__ = name, f"`{call}`: of these sizes and of this tensor's type, contiguous."
    return known(call)(factory)


zeros, ones, empty = _factory("zeros"), _factory("ones"), _factory("empty")
rand, randn = _factory("rand"), _factory("randn")
zeros_like, ones_like, empty_like = _factory_like("zeros_like"), _factory_like("ones_like"), _factory_like("empty_like")
rand_like, randn_like = _factory_like("rand_like"), _factory_like("randn_like")
new_zeros, new_ones, new_empty = _factory_new("new_zeros"), _factory_new("new_ones"), _factory_new("new_empty")


def _number(call: str, value: Any) -> Any:
    if isinstance(value, Tensor):
        raise UnknownCall(call, "with a tensor for a number, which reads data")
    return value


@known("torch.full")
def full(size: Any, fill_value: float, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """One number everywhere; an int makes int64, a bool bool."""
    return made("torch.full", tuple(size), dtype or of_number(_number("torch.full", fill_value)), options)


@known("torch.full_like")
def full_like(input: Tensor, fill_value: float, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """One number everywhere, in the shape, type and dense layout of another tensor."""
    _number("torch.full_like", fill_value)
    return made_like("torch.full_like", input, dtype, options)


@known("Tensor.new_full")
def new_full(input: Tensor, size: Any, fill_value: float, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """One number everywhere, in this tensor's type."""
    _number("Tensor.new_full", fill_value)
    return made("Tensor.new_full", tuple(size), dtype or input.dtype, options)


@known("torch.arange")
def arange(*bounds: Any, dtype: DType | None = None, **options: Any) -> Tensor:
    """start, start + step, ... below end. Of dimensions, the length keeps its formula."""
    named = [options.pop(name, None) for name in ("start", "end", "step")]
    start, end, step = _bounds(bounds, named)
    length = _steps(start, end, step)
    floats = any(isinstance(value, float) for value in (start, end, step))
    return made("torch.arange", (length,), dtype or (default_dtype() if floats else int64), options)


def _bounds(given: Sequence[Any], named: Sequence[Any]) -> tuple[Any, Any, Any]:
    """arange(end), arange(start, end), arange(start, end, step), or by name."""
    start, end, step = named
    if len(given) == 1:
        (start, end) = (given[0], end) if end is not None else (start, given[0])
    elif given:
        start, end, step = (*given, step)[:3]
    if end is None or len(given) > 3:
        raise UnknownCall("torch.arange", "with these arguments")
    values = (0 if start is None else start, end, 1 if step is None else step)
    for value in values:
        _number("torch.arange", value)
    return values


def _steps(start: Any, end: Any, step: Any) -> int:
    if step == 0 or (end - start) * (1 if step > 0 else -1) < 0:
        raise ValueError(f"arange: from {start} to {end} in steps of {step}: bounds and the sign of step do not fit")
    values = (start, end, step)
    if not all(float(value).is_integer() for value in values):
        if any(isinstance(value, Dim) for value in values):
            raise UnknownCall(
                "torch.arange", "from, to or in steps of a fraction, with a dimension: its length has no formula"
            )
        return ceil((float(end) - float(start)) / float(step))
    start, end, step = (int(value) if isinstance(value, float) else value for value in values)
    length: int = end - start if start != 0 else end
    return length if step == 1 else -(-length // step) if step > 0 else -(length // -step)


@known("torch.linspace")
def linspace(start: float, end: float, steps: int, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """`steps` numbers from start to end."""
    _number("torch.linspace", start)
    _number("torch.linspace", end)
    return made("torch.linspace", (steps,), dtype or default_dtype(), options)


@known("torch.logspace")
def logspace(
    start: float, end: float, steps: int, base: float = 10.0, *, dtype: DType | None = None, **options: Any
) -> Tensor:
    """`steps` numbers from base^start to base^end."""
    _number("torch.logspace", start)
    _number("torch.logspace", end)
    return made("torch.logspace", (steps,), dtype or default_dtype(), options)


@known("torch.eye")
def eye(n: int, m: int | None = None, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """The identity matrix."""
    return made("torch.eye", (n, n if m is None else m), dtype or default_dtype(), options)


@known("torch.randint")
def randint(*arguments: Any, dtype: DType | None = None, **options: Any) -> Tensor:
    """randint(high, size) and randint(low, high, size)."""
    named = [options.pop(name) for name in ("low", "high", "size") if name in options]
    given = (*arguments, *named)
    if len(given) not in (2, 3):
        raise UnknownCall("torch.randint", "with these arguments")
    return made("torch.randint", tuple(given[-1]), dtype or int64, options)


@known("torch.randint_like")
def randint_like(input: Tensor, *bounds: int, dtype: DType | None = None, **options: Any) -> Tensor:
    """Random integers in the shape and type of another tensor."""
    return made_like("torch.randint_like", input, dtype, options)


@known("torch.randperm")
def randperm(n: int, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """The numbers below n in some order."""
    return made("torch.randperm", (n,), dtype or int64, options)
