"""Powers, roots of sums, and angles: functions of two operands whose derivatives take several operators."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import SymbolicError
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType, bool_, int64, result_type
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.elementwise import Derivative, Elementwise, Formula, Kept, float_type
from tttdit.core.symbolic.raw import pointwise
from tttdit.core.symbolic.tensor import Tensor


def _power_rule(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient * (exponent * self ** (exponent - 1)), for an exponent that is a number
    if kept["exponent"] == 0:
        return raw.new("zeros_like", kept["self"].shape, kept["self"].dtype)
    power = pointwise("pow", kept["self"], dtype=_power_type(kept["self"], kept["exponent"]))
    scaled = pointwise("mul", power)
    return pointwise("mul", gradient, scaled)


def _base(gradient: Tensor, kept: Kept) -> Tensor:
    # where(exponent == 0, 0, gradient * (exponent * self ** (exponent - 1)))
    less = pointwise("sub", kept["exponent"])
    power = pointwise("pow", kept["self"], less)
    scaled = pointwise("mul", kept["exponent"], power)
    product = pointwise("mul", gradient, scaled)
    zero = raw.new("scalar_tensor", (), product.dtype)
    flat = pointwise("eq", kept["exponent"], dtype=bool_)
    return pointwise("where", flat, zero, product, dtype=product.dtype)


def _exponent(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient * where(self == 0 and exponent >= 0, 0, result * log(self))
    positive = pointwise("ge", kept["exponent"], dtype=bool_)
    none = pointwise("eq", kept["self"], dtype=bool_)
    condition = pointwise("logical_and", none, positive, dtype=bool_)
    del positive, none
    base = raw.cast(kept["self"], result_type(kept["self"], kept["exponent"]))
    logarithm = pointwise("log", base)
    scaled = pointwise("mul", kept["result"], logarithm)
    zero = raw.new("scalar_tensor", (), scaled.dtype)
    chosen = pointwise("where", condition, zero, scaled, dtype=scaled.dtype)
    return pointwise("mul", gradient, chosen)


def _exponent_of_number(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient * (result * log(base)); for the base 0 where(exponent >= 0, 0, that)
    scaled = pointwise("mul", kept["result"])
    if kept["self"] != 0:
        return pointwise("mul", gradient, scaled)
    zero = raw.new("zeros", (), gradient.dtype)
    condition = pointwise("ge", kept["exponent"], dtype=bool_)
    chosen = pointwise("where", condition, zero, scaled, dtype=scaled.dtype)
    return pointwise("mul", gradient, chosen)


def _power_type(base: Any, exponent: Any) -> DType:
    dtype = result_type(base, exponent)
    return int64 if dtype is bool_ else dtype


def _over_result(argument: str) -> Formula:
    # gradient * (argument / result)
    def formula(gradient: Tensor, kept: Kept) -> Tensor:
        scaled = pointwise("mul", gradient, kept[argument])
        return pointwise("div", scaled, kept["result"])

    return formula


def _exponential_share(argument: str, other: str) -> Formula:
    # gradient / (1 + exp(other - argument))
    def formula(gradient: Tensor, kept: Kept) -> Tensor:
        difference = pointwise("sub", kept[other], kept[argument])
        exponential = pointwise("exp", difference)
        more = pointwise("add", exponential)
        return pointwise("div", gradient, more)

    return formula


_POW_NUMBER = Elementwise("pow", "self exponent", Derivative("self", "self", _power_rule), dtype=_power_type)
_POW = Elementwise(
    "pow",
    "self exponent",
    Derivative("self", "exponent self", _base),
    Derivative("exponent", "exponent result self", _exponent),
    dtype=_power_type,
)
_NUMBER_POW = Elementwise(
    "pow",
    "self exponent",
    Derivative("exponent", "exponent result", _exponent_of_number),
    dtype=_power_type,
    run=lambda name, base, exponent, dtype: raw.new(
        name, exponent.shape, dtype
    ),  # contiguous, whatever the exponent is
)
_HYPOT = Elementwise(
    "hypot",
    "self other",
    Derivative("self", "result self", _over_result("self")),
    Derivative("other", "other result", _over_result("other")),
)
_LOGADDEXP = Elementwise(
    "logaddexp",
    "self other",
    Derivative("self", "other self", _exponential_share("self", "other")),
    Derivative("other", "other self", _exponential_share("other", "self")),
)


@known("torch.pow", "Tensor.pow", "Tensor.__pow__")
def pow(input: Any, exponent: Any) -> Tensor:
    """`input ** exponent`; of a tensor and a number it keeps the tensor, of two tensors both and the result."""
    _check_integers(input, exponent)
    if not isinstance(input, Tensor):
        return _NUMBER_POW(input, exponent)
    return (_POW if isinstance(exponent, Tensor) else _POW_NUMBER)(input, exponent)


@known("Tensor.pow_", "Tensor.__ipow__")
def pow_(input: Tensor, exponent: Any) -> Tensor:
    """`input ** exponent`, in place."""
    _check_integers(input, exponent)
    return (_POW if isinstance(exponent, Tensor) else _POW_NUMBER).inplace(input, exponent)


@known("Tensor.__rpow__")
def power_of_number(input: Tensor, other: float) -> Tensor:
    """`number ** input`; keeps both the exponent and the result."""
    return _NUMBER_POW(other, input)


@known("torch.square", "Tensor.square")
def square(input: Tensor) -> Tensor:
    """`input ** 2`."""
    return _POW_NUMBER(input, 2)


@known("torch.square_", "Tensor.square_")
def square_(input: Tensor) -> Tensor:
    """`input ** 2`, in place."""
    return _POW_NUMBER.inplace(input, 2)


@known("torch.hypot", "Tensor.hypot")
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """`sqrt(input ** 2 + other ** 2)`; keeps both and the result."""
    return _HYPOT(input, other)


@known("torch.logaddexp", "Tensor.logaddexp")
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """`log(exp(input) + exp(other))`; keeps both."""
    return _LOGADDEXP(input, other)


@known("torch.atan2", "Tensor.atan2", "torch.arctan2", "Tensor.arctan2")
def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of (other, input); keeps both. Its gradients are made together."""
    node = None
    if wants_gradient(input, other):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept_other, kept_self = node.get("other"), node.get("self")
            # 1 / (self * self + other * other), or zero
            square_other = pointwise("mul", kept_other, kept_other)
            square_self = pointwise("mul", kept_self, kept_self)
            both = pointwise("add", square_self, square_other)
            del square_other, square_self
            reciprocal = pointwise("reciprocal", both)
            none = pointwise("eq", both, dtype=bool_)
            share = raw.new("masked_fill", reciprocal.shape, reciprocal.dtype)
            del reciprocal, none
            for_self = for_other = once = None
            if node.wants(0):
                once = pointwise("mul", gradient, kept_other)
                for_self = pointwise("mul", once, share)
            if node.wants(1):
                negative = pointwise("neg", kept_self)
                twice = pointwise("mul", gradient, negative)
                for_other = pointwise("mul", twice, share)
                del negative, twice
            return [for_self, for_other]

        node = Node("Atan2", (input, other), backward)
        node.save(other=other)
        node.save(self=input)
    out = pointwise("atan2", input, other, dtype=float_type(input, other))
    return node.made(out) if node else out


def _check_integers(base: Any, exponent: Any) -> None:
    if isinstance(exponent, int) and exponent < 0 and isinstance(base, Tensor) and not base.dtype.is_floating_point:
        raise SymbolicError(f"pow: torch refuses integers to the negative power {exponent}")
