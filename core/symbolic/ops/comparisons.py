"""Comparisons, logic and bits: results without gradients."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.elementwise import Elementwise, bool_type
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
