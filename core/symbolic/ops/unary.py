"""Elementwise functions of one tensor: roots, logarithms, trigonometry, rounding."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.core.errors import SymbolicError
from tttdit.core.symbolic.dtype import bool_
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.elementwise import (
    Derivative,
    Elementwise,
    Formula,
    Kept,
    float_type,
    one,
    same_type,
    through,
    zeros,
)
from tttdit.core.symbolic.raw import composite, pointwise
from tttdit.core.symbolic.tensor import Tensor


def _chain(reads: str, *steps: str) -> Derivative:
    """`gradient * f(x)`, f in steps: each but the last one operator of what the one before made, the last one with the gradient.

    What the steps make lives to the end of the formula.
    """

    def formula(gradient: Tensor, kept: Kept) -> Tensor:
        made = [kept[reads]]
        for step in steps[:-1]:
            made.append(pointwise(step, made[-1]))
        return pointwise(steps[-1], gradient, made[-1])

    return Derivative("self", reads, formula)


def _scaled_first(reads: str, last: str) -> Formula:
    """`gradient op (x * number)`."""
    return _chain(reads, "mul", last).formula


def _error_function(gradient: Tensor, kept: Kept) -> Tensor:
    # 2 / sqrt(pi) * exp(-(x.pow(2))) * gradient
    power = pointwise("pow", kept["self"])
    negative = pointwise("neg", power)
    exponential = pointwise("exp", negative)
    scaled = pointwise("mul", exponential)
    return pointwise("mul", scaled, gradient)


def _rsqrt(gradient: Tensor, kept: Kept) -> Tensor:
    # -0.5 * gradient * result.pow(3)
    power = pointwise("pow", kept["result"])
    scaled = pointwise("mul", gradient)
    return pointwise("mul", scaled, power)


def _reciprocal(gradient: Tensor, kept: Kept) -> Tensor:
    # -gradient * (result * result)
    square = pointwise("mul", kept["result"], kept["result"])
    negative = pointwise("neg", gradient)
    return pointwise("mul", negative, square)


def _exp2(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient * result * log(2)
    product = pointwise("mul", gradient, kept["result"])
    return pointwise("mul", product)


def _atan(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient / (x * x + 1)
    square = pointwise("mul", kept["self"], kept["self"])
    more = pointwise("add", square)
    return pointwise("div", gradient, more)


def _finite(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient * isfinite(x)
    finite = _is_finite(kept["self"])
    return pointwise("mul", gradient, finite)


def _is_finite(input: Tensor) -> Tensor:
    magnitude = pointwise("abs", input)
    bounded = pointwise("ne", magnitude, dtype=bool_)
    number = pointwise("eq", input, input, dtype=bool_)
    return pointwise("mul", number, bounded)


# name: what the derivative reads, and its formula
_FLOAT: dict[str, Derivative] = {
    "exp": Derivative("self", "result", one("mul", "grad", "result")),
    "exp2": Derivative("self", "result", _exp2),
    "expm1": _chain("result", "add", "mul"),
    "log": Derivative("self", "self", one("div", "grad", "self")),
    "log2": Derivative("self", "self", _scaled_first("self", "div")),
    "log10": Derivative("self", "self", _scaled_first("self", "div")),
    "log1p": _chain("self", "add", "div"),
    "sqrt": _chain("result", "mul", "div"),
    "rsqrt": Derivative("self", "result", _rsqrt),
    "reciprocal": Derivative("self", "result", _reciprocal),
    "sin": _chain("self", "cos", "mul"),
    "cos": _chain("self", "sin", "neg", "mul"),
    "tan": _chain("result", "pow", "add", "mul"),
    "atan": Derivative("self", "self", _atan),
    "sinh": _chain("self", "cosh", "mul"),
    "cosh": _chain("self", "sinh", "mul"),
    "tanh": Derivative("self", "result", one("tanh_backward", "grad", "result")),
    "sigmoid": Derivative("self", "result", one("sigmoid_backward", "grad", "result")),
    "erf": Derivative("self", "self", _error_function),
    "erfc": Derivative("self", "self", _error_function),
}
_SAME: dict[str, Derivative] = {
    "abs": _chain("self", "sgn", "mul"),
    "neg": Derivative("self", "", lambda gradient, kept: pointwise("neg", gradient)),
    "floor": Derivative("self", "", zeros),
    "ceil": Derivative("self", "", zeros),
    "trunc": Derivative("self", "", zeros),
    "sign": Derivative("self", "", zeros),
}
_NO_BOOL = frozenset({"abs", "neg", "floor", "ceil", "trunc", "round", "relu"})
_ALIASES: dict[str, tuple[str, ...]] = {
    "abs": ("torch.absolute", "Tensor.absolute", "Tensor.__abs__"),
    "neg": ("torch.negative", "Tensor.negative", "Tensor.__neg__"),
    "sigmoid": ("F.sigmoid", "torch.special.expit"),
    "tanh": ("F.tanh",),
    "trunc": ("torch.fix", "Tensor.fix"),
    "atan": ("torch.arctan", "Tensor.arctan"),
}


def refuse_bool(call: str, input: Tensor) -> None:
    """Raises SymbolicError for a function that torch does not have for bool tensors."""
    if input.dtype is bool_:
        raise SymbolicError(f"{call}: torch has it for numbers, not for a bool tensor")


def _make_known(name: str, operator: Elementwise) -> Callable[[Tensor], Tensor]:
    """`torch.name`, `Tensor.name` and `Tensor.name_`."""
    numbers_only = name in _NO_BOOL

    @known(f"torch.{name}", f"Tensor.{name}", *_ALIASES.get(name, ()))
    def function(input: Tensor) -> Tensor:
        if numbers_only:
            refuse_bool(name, input)
        return operator(input)

    @known(f"Tensor.{name}_", *((f"torch.{name}_",) if name != "sign" else ()))
    def changed(input: Tensor) -> Tensor:
        if numbers_only:
            refuse_bool(name, input)
        return operator.inplace(input)

    return function


tanh = _make_known("tanh", Elementwise("tanh", "self", _FLOAT.pop("tanh"), dtype=float_type))
sigmoid = _make_known("sigmoid", Elementwise("sigmoid", "self", _FLOAT.pop("sigmoid"), dtype=float_type))
for _name, _derivative in _FLOAT.items():
    _make_known(_name, Elementwise(_name, "self", _derivative, dtype=float_type))
for _name, _derivative in _SAME.items():
    _make_known(_name, Elementwise(_name, "self", _derivative, dtype=same_type))

_ROUND = Elementwise("round", "self", Derivative("self", "", zeros))
_FRAC = Elementwise("frac", "self", Derivative("self", "", through))
_LOGIT = Elementwise(
    "logit", "self", Derivative("self", "self", one("logit_backward", "grad", "self")), dtype=float_type
)
_DEGREES = Elementwise(
    "deg2rad", "self", Derivative("self", "", lambda gradient, kept: pointwise("mul", gradient)), dtype=float_type
)
_RADIANS = Elementwise(
    "rad2deg", "self", Derivative("self", "", lambda gradient, kept: pointwise("mul", gradient)), dtype=float_type
)
_NAN_TO_NUM = Elementwise("nan_to_num", "self", Derivative("self", "self", _finite))


@known("torch.round", "Tensor.round")
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To the nearest integer."""
    refuse_bool("round", input)
    return _ROUND(input)


@known("Tensor.round_")
def round_(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To the nearest integer, in place."""
    refuse_bool("round_", input)
    return _ROUND.inplace(input)


@known("torch.frac", "Tensor.frac")
def frac(input: Tensor) -> Tensor:
    """What follows the point; its gradient is the one that comes in."""
    if not input.dtype.is_floating_point:
        raise SymbolicError(f"frac: torch has it for floating point, not for {input.dtype}")
    return _FRAC(input)


@known("torch.logit", "Tensor.logit", "torch.special.logit")
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """`log(x / (1 - x))`."""
    return _LOGIT(input)


@known("torch.deg2rad", "Tensor.deg2rad")
def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return _DEGREES(input)


@known("torch.rad2deg", "Tensor.rad2deg")
def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return _RADIANS(input)


@known("torch.nan_to_num", "Tensor.nan_to_num")
def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Numbers in the place of NaN and infinities."""
    return _NAN_TO_NUM(input)


@known("Tensor.nan_to_num_", "torch.nan_to_num_")
def nan_to_num_(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Numbers in the place of NaN and infinities, in place."""
    return _NAN_TO_NUM.inplace(input)


@known("torch.positive", "Tensor.positive", "Tensor.__pos__")
@composite("positive")
def positive(input: Tensor) -> Tensor:
    """The tensor itself."""
    refuse_bool("positive", input)
    return input
