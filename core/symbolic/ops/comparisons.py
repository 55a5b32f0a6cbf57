"""Comparisons, logic, bits, and tests for infinities: results without gradients."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dtype import bool_
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.elementwise import Elementwise, bool_type
from tttdit.core.symbolic.raw import composite, pointwise
from tttdit.core.symbolic.tensor import Tensor


def _compare(name: str, *names: str) -> None:
    """`torch.name`, `Tensor.name` and Python's operator, which lets Python go on where the other side is no number."""
    operator = Elementwise(name, "self other", dtype=bool_type)

    @known(f"torch.{name}", f"Tensor.{name}", *names)
    def function(input: Tensor, other: Any) -> Tensor:
        return operator(input, other)

    @known(f"Tensor.__{name}__")
    def symbol(input: Tensor, other: Any) -> Any:
        return operator(input, other) if isinstance(other, (Tensor, int, float)) else NotImplemented


_compare("eq")
_compare("ne", "torch.not_equal", "Tensor.not_equal")
_compare("lt", "torch.less", "Tensor.less")
_compare("le", "torch.less_equal", "Tensor.less_equal")
_compare("gt", "torch.greater", "Tensor.greater")
_compare("ge", "torch.greater_equal", "Tensor.greater_equal")


def _logical(name: str) -> None:
    """`torch.name`, `Tensor.name` and `Tensor.name_`."""
    operator = Elementwise(name, "self other", dtype=bool_type)

    @known(f"torch.{name}", f"Tensor.{name}")
    def function(input: Tensor, other: Tensor) -> Tensor:
        return operator(input, other)

    @known(f"Tensor.{name}_")
    def changed(input: Tensor, other: Tensor) -> Tensor:
        if input.requires_grad or other.requires_grad:
            raise UnknownCall(f"Tensor.{name}_", "of tensors that require grad")
        return operator.inplace(input, other)


_logical("logical_and")
_logical("logical_or")
_logical("logical_xor")


def _bitwise(name: str, symbol: str) -> None:
    """`torch.name`, `Tensor.name`, `Tensor.name_`, and Python's operator from both sides and in place."""
    operator = Elementwise(name, "self other")

    def integers(*operands: Any) -> None:
        for operand in operands:
            if operand.dtype.is_floating_point if isinstance(operand, Tensor) else isinstance(operand, float):
                raise SymbolicError(f"{name}: torch has it for integers and bool, not for floating point")

    @known(f"torch.{name}", f"Tensor.{name}", f"Tensor.__{symbol}__", f"Tensor.__r{symbol}__")
    def function(input: Tensor, other: Any) -> Tensor:
        integers(input, other)
        return operator(input, other)

    @known(f"Tensor.{name}_", f"Tensor.__i{symbol}__")
    def changed(input: Tensor, other: Any) -> Tensor:
        integers(input, other)
        return operator.inplace(input, other)


_bitwise("bitwise_and", "and")
_bitwise("bitwise_or", "or")
_bitwise("bitwise_xor", "xor")

# -- of one tensor

_ISNAN = Elementwise("isnan", dtype=bool_type)
_ISINF = Elementwise("isinf", dtype=bool_type)
_SIGNBIT = Elementwise("signbit", dtype=bool_type)
_NOT = Elementwise("logical_not", dtype=bool_type)
_INVERT = Elementwise("bitwise_not")


@known("torch.isnan", "Tensor.isnan")
def isnan(input: Tensor) -> Tensor:
    """Where it is not a number."""
    return _ISNAN(input)


@known("torch.isinf", "Tensor.isinf")
def isinf(input: Tensor) -> Tensor:
    """Where it is infinite."""
    return _ISINF(input)


@known("torch.isfinite", "Tensor.isfinite")
@composite("isfinite")
def isfinite(input: Tensor) -> Tensor:
    """Where it is a finite number: `(x == x) * (abs(x) != inf)`."""
    if not input.dtype.is_floating_point:
        return raw.like("ones_like", input, bool_)
    magnitude: Tensor = input.abs()  # a part of the graph: it saves its input
    bounded = pointwise("ne", magnitude, dtype=bool_)
    number = pointwise("eq", input, input, dtype=bool_)
    return pointwise("mul", number, bounded)


@known("torch.signbit", "Tensor.signbit")
def signbit(input: Tensor) -> Tensor:
    """Where it is negative."""
    return _SIGNBIT(input)


@known("torch.logical_not", "Tensor.logical_not")
def logical_not(input: Tensor) -> Tensor:
    """Where it is zero."""
    return _NOT(input)


@known("torch.bitwise_not", "Tensor.bitwise_not", "Tensor.__invert__")
def bitwise_not(input: Tensor) -> Tensor:
    """Every bit the other way; for bool tensors, not."""
    if input.dtype.is_floating_point:
        raise SymbolicError(f"bitwise_not: torch has it for integers and bool, not for {input.dtype}")
    return _INVERT(input)


@known("Tensor.logical_not_")
def logical_not_(input: Tensor) -> Tensor:
    """Where it is zero, in place."""
    if input.requires_grad:
        raise UnknownCall("Tensor.logical_not_", "of a tensor that requires grad")
    return _NOT.inplace(input)
