"""Sums, products and quotients of tensors and numbers, remainders included."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import SymbolicError
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dtype import DType, bool_
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.elementwise import (
    Derivative,
    Elementwise,
    Formula,
    Kept,
    float_type,
    one,
    pair_type,
    through,
)
from tttdit.core.symbolic.raw import pointwise
from tttdit.core.symbolic.tensor import Tensor


def _times_alpha(gradient: Tensor, kept: Kept) -> Tensor:
    return gradient if kept["alpha"] == 1 else pointwise("mul", gradient)


def _minus(gradient: Tensor, kept: Kept) -> Tensor:
    # multiplied by alpha where that is not 1
    negative = pointwise("neg", gradient)
    return negative if kept["alpha"] == 1 else pointwise("mul", negative)


def _divisor(gradient: Tensor, kept: Kept) -> Tensor:
    # -gradient * ((self / other) / other)
    once = pointwise("div", kept["self"], kept["other"])
    twice = pointwise("div", once, kept["other"])
    negative = pointwise("neg", gradient)
    return pointwise("mul", negative, twice)


def _modulus(gradient: Tensor, kept: Kept) -> Tensor:
    # -gradient * (self / other, rounded)
    quotient = pointwise("div", kept["self"], kept["other"])
    negative = pointwise("neg", gradient)
    return pointwise("mul", negative, quotient)


def _no_derivative(name: str) -> Derivative:
    def formula(gradient: Tensor, kept: Kept) -> Tensor:
        raise SymbolicError(f"backward through {name}: torch has no derivative for it")

    return Derivative("self", "", formula)


def _swapped(name: str, first: Any, second: Any, alpha: float, dtype: DType) -> Tensor:
    return pointwise(name, second, first, dtype=dtype)


_ADD = Elementwise("add", "self other", Derivative("self", "", through), Derivative("other", "", through))
_ADD_ALPHA = Elementwise(
    "add", "self other alpha", Derivative("self", "", through), Derivative("other", "", _times_alpha), dtype=pair_type
)
_SUB = Elementwise(
    "sub", "self other alpha", Derivative("self", "", through), Derivative("other", "", _minus), dtype=pair_type
)
_RSUB = Elementwise(
    "rsub",
    "self other alpha",
    Derivative("self", "", _minus),
    Derivative("other", "", through),
    dtype=pair_type,
    run=_swapped,
)
_MUL = Elementwise(
    "mul",
    "self other",
    Derivative("self", "other", one("mul", "grad", "other")),
    Derivative("other", "self", one("mul", "grad", "self")),
)
_DIV = Elementwise(
    "div",
    "self other",
    Derivative("self", "other", one("div", "grad", "other")),
    Derivative("other", "self other", _divisor),
    dtype=float_type,
)
_REMAINDER = Elementwise(
    "remainder", "self other", Derivative("self", "", through), Derivative("other", "self other", _modulus)
)
_FMOD = Elementwise("fmod", "self other", Derivative("self", "", through), Derivative("other", "self other", _modulus))
_FLOOR_DIVIDE = Elementwise("floor_divide", "self other", _no_derivative("floor_divide"))


@known("torch.add", "Tensor.add", "Tensor.__add__", "Tensor.__radd__")
def add(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """`input + alpha other`."""
    return _ADD(input, other) if alpha == 1 else _ADD_ALPHA(input, other, alpha)


@known("Tensor.add_", "Tensor.__iadd__")
def add_(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """`input + alpha other`, in place."""
    return _ADD.inplace(input, other) if alpha == 1 else _ADD_ALPHA.inplace(input, other, alpha)


@known("torch.sub", "torch.subtract", "Tensor.sub", "Tensor.subtract", "Tensor.__sub__")
def sub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """`input - alpha other`."""
    _refuse_bool("sub", input, other)
    return _SUB(input, other, alpha)


@known("Tensor.sub_", "Tensor.subtract_", "Tensor.__isub__")
def sub_(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """`input - alpha other`, in place."""
    _refuse_bool("sub_", input, other)
    return _SUB.inplace(input, other, alpha)


@known("torch.rsub", "Tensor.__rsub__")
def rsub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """`other - alpha input`."""
    _refuse_bool("rsub", input, other)
    return _RSUB(input, other, alpha)


@known("torch.mul", "torch.multiply", "Tensor.mul", "Tensor.multiply", "Tensor.__mul__", "Tensor.__rmul__")
def mul(input: Tensor, other: Any) -> Tensor:
    """`input * other`; keeps each operand if the other one wants a gradient."""
    return _MUL(input, other)


@known("Tensor.mul_", "Tensor.multiply_", "Tensor.__imul__")
def mul_(input: Tensor, other: Any) -> Tensor:
    """`input * other`, in place; keeps a copy of the input if the other one wants a gradient."""
    return _MUL.inplace(input, other)


@known("torch.div", "torch.divide", "Tensor.div", "Tensor.divide")
def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """`input / other`; keeps the divisor, and the dividend if the divisor wants a gradient."""
    return _DIV(input, other) if rounding_mode is None else _rounded_quotient(input, other)(input, other)


@known("torch.true_divide", "Tensor.true_divide", "Tensor.__truediv__")
def true_divide(input: Tensor, other: Any) -> Tensor:
    """`input / other`."""
    return _DIV(input, other)


@known("Tensor.div_", "Tensor.divide_")
def div_(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """`input / other`, in place."""
    return (
        _DIV.inplace(input, other) if rounding_mode is None else _rounded_quotient(input, other).inplace(input, other)
    )


@known("Tensor.true_divide_", "Tensor.__itruediv__")
def true_divide_(input: Tensor, other: Any) -> Tensor:
    """`input / other`, in place."""
    return _DIV.inplace(input, other)


@known("Tensor.__rtruediv__")
def number_over(input: Tensor, other: float) -> Tensor:
    """`number / input`, as torch does it: `input.reciprocal() * number`."""
    return _MUL(input.reciprocal(), other)


@known("torch.floor_divide", "Tensor.floor_divide", "Tensor.__floordiv__")
def floor_divide(input: Any, other: Any) -> Tensor:
    """`input // other`; torch has no derivative for it."""
    return _FLOOR_DIVIDE(input, other)


@known("Tensor.__rfloordiv__")
def number_floor_divided(input: Tensor, other: float) -> Tensor:
    """`number // input`."""
    return _FLOOR_DIVIDE(other, input)


@known("Tensor.floor_divide_", "Tensor.__ifloordiv__")
def floor_divide_(input: Tensor, other: Any) -> Tensor:
    """`input // other`, in place."""
    return _FLOOR_DIVIDE.inplace(input, other)


@known("torch.remainder", "Tensor.remainder", "Tensor.__mod__")
def remainder(input: Any, other: Any) -> Tensor:
    """`input % other`, with the divisor's sign."""
    return _REMAINDER(input, other)


@known("Tensor.__rmod__")
def number_modulo(input: Tensor, other: float) -> Tensor:
    """`number % input`."""
    return _REMAINDER(other, input)


@known("Tensor.remainder_", "Tensor.__imod__")
def remainder_(input: Tensor, other: Any) -> Tensor:
    """`input % other`, in place."""
    return _REMAINDER.inplace(input, other)


@known("torch.fmod", "Tensor.fmod")
def fmod(input: Tensor, other: Any) -> Tensor:
    """`input % other`, with the dividend's sign."""
    return _FMOD(input, other)


@known("Tensor.fmod_")
def fmod_(input: Tensor, other: Any) -> Tensor:
    """`input % other`, with the dividend's sign, in place."""
    return _FMOD.inplace(input, other)


def _refuse_bool(call: str, *operands: Any) -> None:
    for operand in operands:
        if (operand.dtype is bool_) if isinstance(operand, Tensor) else isinstance(operand, bool):
            raise SymbolicError(f"{call}: torch does not subtract bool tensors; use ^ or logical_xor")


def _rounded_quotient(input: Tensor, other: Any) -> Elementwise:
    """A rounded quotient has zeros for gradients, each in its argument's own type."""
    types = input.dtype, other.dtype if isinstance(other, Tensor) else input.dtype

    def zeros(index: int) -> Formula:
        return lambda gradient, kept: raw.like("zeros_like", gradient, types[index])

    return Elementwise(
        "div", "self other", Derivative("self", "other", zeros(0)), Derivative("other", "self other", zeros(1))
    )
