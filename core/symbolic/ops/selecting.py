"""Values chosen by a mask, mixed, or held between bounds."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import bool_, result_type
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.elementwise import Derivative, Elementwise, Formula, Kept, one, pair_type, through
from tttdit.core.symbolic.ops.inplace import change, rebase, write
from tttdit.core.symbolic.raw import composite, pointwise, shape_text
from tttdit.core.symbolic.tensor import Tensor

# -- where


def choose(condition: Tensor, first: Tensor | None, second: Tensor | None) -> Tensor:
    """`where` for gradients: None stands for zeros."""
    kept = first if first is not None else second
    assert kept is not None
    zero = raw.new("scalar_tensor", (), kept.dtype)
    return pointwise(
        "where", condition, zero if first is None else first, zero if second is None else second, dtype=kept.dtype
    )


_WHERE = Elementwise(
    "where",
    "condition self other",
    Derivative("self", "condition", lambda gradient, kept: choose(kept["condition"], gradient, None)),
    Derivative("other", "condition", lambda gradient, kept: choose(kept["condition"], None, gradient)),
    dtype=lambda condition, self, other: result_type(self, other),
)


@known("torch.where")
@composite("where")
def where(condition: Tensor, input: Any = None, other: Any = None) -> Tensor:
    """The input where the condition holds, elsewhere the other; keeps the condition."""
    if input is None or other is None:
        raise UnknownCall("torch.where", "of a condition alone: the size of its result depends on data")
    if condition.dtype is not bool_:
        raise SymbolicError(f"where: the condition is a tensor of {condition.dtype}, torch wants torch.bool")
    dtype = result_type(input, other)
    if not isinstance(input, Tensor):
        input = raw.new("scalar_tensor", (), dtype)
    if not isinstance(other, Tensor):
        other = raw.new("scalar_tensor", (), dtype)
    return _WHERE(condition, input, other)


@known("Tensor.where")
def tensor_where(input: Tensor, condition: Tensor, other: Any) -> Tensor:
    """The tensor where the condition holds, elsewhere the other."""
    return where(condition, input, other)


# -- masked_fill


def _filled(gradient: Tensor, mask: Tensor) -> Tensor:
    """`masked_fill` out of place: a contiguous copy."""
    return raw.new("masked_fill", raw.broadcast("masked_fill", mask.shape, gradient.shape), gradient.dtype)


def _masked_fill_node_backward(node: Node, gradients: Gradients) -> Gradients:
    # For a value that is a tensor torch sums the elements under the mask, where no dispatch mode is in force. Their number is data: here
    # it is all of them (torch/csrc/autograd/FunctionsManual.cpp, `masked_fill_backward`).
    (gradient,) = gradients
    assert gradient is not None
    mask = node.get("mask")
    made: Gradients = [_filled(gradient, mask) if node.wants(0) else None]
    if len(node.edges) > 1:
        kept = choose(mask, gradient, None) if node.wants(1) else None
        made.append(raw.reduce("sum", kept, range(kept.ndim), keepdim=False) if kept is not None else None)
    return made


def _check_mask(call: str, input: Tensor, mask: Tensor, value: Any) -> None:
    if mask.dtype is not bool_:
        raise SymbolicError(f"{call}: the mask is a tensor of {mask.dtype}, torch wants torch.bool")
    if isinstance(value, Tensor) and value.ndim:
        raise SymbolicError(
            f"{call} takes a number or a tensor without dimensions, not one of {shape_text(value.shape)}"
        )
    if result_type(input, value).category > input.dtype.category:
        raise UnknownCall(
            f"Tensor.{call}", f"of a tensor of {input.dtype} with a value of another kind, which depends on data"
        )


@known("torch.masked_fill", "Tensor.masked_fill")
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """The value where the mask holds; keeps the mask."""
    _check_mask("masked_fill", input, mask, value)
    inputs = (input, value) if isinstance(value, Tensor) else (input,)
    node = None
    if wants_gradient(*inputs):
        node = Node("MaskedFill", inputs, _masked_fill_node_backward)
        node.save(mask=mask)
    out = _filled(input, mask)
    return node.made(out) if node else out


@known("Tensor.masked_fill_")
def masked_fill_(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """The value where the mask holds, in place; keeps the mask."""
    _check_mask("masked_fill_", input, mask, value)
    node = change(
        "masked_fill_",
        "MaskedFill",
        (input, value) if isinstance(value, Tensor) else (input,),
        _masked_fill_node_backward,
    )
    if node:
        node.save(mask=mask)
    write("masked_fill_", input, mask)
    return rebase(input, node)


# -- mixtures


def _one_minus(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient * (1 - weight)
    rest = _number_like(kept["weight"], "sub_")
    return pointwise("mul", gradient, rest)


def _number_like(tensor: Tensor, operator: str) -> Tensor:
    """`number - tensor` or `number / tensor` in C++: a number in every place, changed in place."""
    made = raw.like("empty_like", tensor)
    raw.inplace("fill_", made)
    return raw.inplace(operator, made)


def _difference(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient * (end - self)
    difference = pointwise("sub", kept["end"], kept["self"])
    return pointwise("mul", gradient, difference)


def _times_value(factor: str) -> Formula:
    # gradient * (factor * value)
    def formula(gradient: Tensor, kept: Kept) -> Tensor:
        scaled = pointwise("mul", kept[factor])
        return pointwise("mul", gradient, scaled)

    return formula


def _value_over(gradient: Tensor, kept: Kept) -> Tensor:
    # gradient * (value / tensor2)
    share = _number_like(kept["tensor2"], "div_")
    return pointwise("mul", gradient, share)


def _quotient_rule(gradient: Tensor, kept: Kept) -> Tensor:
    # -gradient * (value * tensor1 / (tensor2 * tensor2))
    square = pointwise("mul", kept["tensor2"], kept["tensor2"])
    scaled = pointwise("mul", kept["tensor1"])
    quotient = pointwise("div", scaled, square)
    negative = pointwise("neg", gradient)
    return pointwise("mul", negative, quotient)


_LERP_NUMBER = Elementwise(
    "lerp",
    "self end weight",
    Derivative("self", "", lambda gradient, kept: pointwise("mul", gradient)),
    Derivative("end", "", lambda gradient, kept: pointwise("mul", gradient)),
    dtype=pair_type,
)
_LERP = Elementwise(
    "lerp",
    "self end weight",
    Derivative("self", "weight", _one_minus),
    Derivative("end", "weight", one("mul", "grad", "weight")),
    Derivative("weight", "end self", _difference),
    dtype=pair_type,
)
_ADDCMUL = Elementwise(
    "addcmul",
    "self tensor1 tensor2 value",
    Derivative("self", "", through),
    Derivative("tensor1", "tensor2", _times_value("tensor2")),
    Derivative("tensor2", "tensor1", _times_value("tensor1")),
    dtype=lambda self, tensor1, tensor2, value: result_type(self, tensor1, tensor2),
)
_ADDCDIV = Elementwise(
    "addcdiv",
    "self tensor1 tensor2 value",
    Derivative("self", "", through),
    Derivative("tensor1", "tensor2", _value_over),
    Derivative("tensor2", "tensor1 tensor2", _quotient_rule),
    dtype=lambda self, tensor1, tensor2, value: result_type(self, tensor1, tensor2),
)


def _check_types(call: str, *operands: Any) -> None:
    types = [operand.dtype for operand in operands if isinstance(operand, Tensor)]
    if any(dtype is not types[0] for dtype in types):
        raise SymbolicError(f"{call}: torch wants operands of one type, not {', '.join(map(repr, types))}")


@known("torch.lerp", "Tensor.lerp")
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """`input + weight (end - input)`."""
    _check_types("lerp", input, end, weight)
    return (_LERP if isinstance(weight, Tensor) else _LERP_NUMBER)(input, end, weight)


@known("Tensor.lerp_")
def lerp_(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """`input + weight (end - input)`, in place."""
    _check_types("lerp_", input, end, weight)
    return (_LERP if isinstance(weight, Tensor) else _LERP_NUMBER).inplace(input, end, weight)


@known("torch.addcmul", "Tensor.addcmul")
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """`input + value tensor1 tensor2`."""
    return _ADDCMUL(input, tensor1, tensor2, value)


@known("Tensor.addcmul_")
def addcmul_(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """`input + value tensor1 tensor2`, in place."""
    return _ADDCMUL.inplace(input, tensor1, tensor2, value)


@known("torch.addcdiv", "Tensor.addcdiv")
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """`input + value tensor1 / tensor2`."""
    return _ADDCDIV(input, tensor1, tensor2, value)


@known("Tensor.addcdiv_")
def addcdiv_(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """`input + value tensor1 / tensor2`, in place."""
    return _ADDCDIV.inplace(input, tensor1, tensor2, value)
