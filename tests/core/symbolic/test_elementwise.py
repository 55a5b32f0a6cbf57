"""Elementwise functions: of one tensor, of two, of three."""

from __future__ import annotations

import itertools

import pytest
from lines import in_checkpoint, in_operator, line
from worlds import check

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.raw import shape_text
from tttdit.core.symbolic.tensor import Tensor, given
from tttdit.core.symbolic.world import TORCH as T

ONE = (
    *(f"T.{name}(x)" for name in (
        "abs", "exp", "log", "log2", "log10", "log1p", "expm1", "exp2", "sqrt", "rsqrt", "square", "sin", "cos", "tan", "atan",
        "sinh", "cosh", "erf", "erfc", "reciprocal", "relu", "sigmoid", "tanh", "sign", "floor", "ceil", "round", "trunc", "frac",
        "nan_to_num", "neg", "positive", "deg2rad", "rad2deg", "logit", "selu", "celu",
    )),
    *(f"T.{name}(x) * x" for name in ("isnan", "isinf", "isfinite", "signbit", "logical_not")),
    *(f"F.{name}(x)" for name in (
        "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "softplus", "mish", "hardswish", "hardsigmoid", "hardtanh", "gelu",
        "logsigmoid", "tanhshrink", "softsign", "hardshrink", "softshrink", "silu", "glu", "sigmoid", "tanh",
    )),
    "F.threshold(x, 0.5, 0.1)",
    *(f"x ** {power}" for power in (0, 1, 2, 3, 0.5, -0.5, -1, 2.5)),
    *(f"{number} ** x" for number in (0, 1, 2, 2.5)),
    *(f"{number} / x" for number in (1, 2, 2.5)),
    *(f"x {operator} {number}" for operator in ("+", "-", "*", "/", "%") for number in (1, 2.5)),
    *(f"2.5 {operator} x" for operator in ("+", "-", "*")),
    "x.fmod(2)", "T.add(x, 2, alpha=3)", "x.sub(2, alpha=3)", "T.rsub(x, 2, alpha=3)", 'x.div(2, rounding_mode="trunc")',
    "x.clamp(0.5, 1)", "x.clamp(min=1)", "T.clip(x, max=1)", "x.clamp_min(1)", "x.clamp_max(1)",
    "T.where(x > 1, 2.0, 3) * x", "T.where(x > 1, 2, 3) * x", "T.where(x > 1, 2, x)", "x.where(x > 1, 0.0)",
    'x.masked_fill(x > 1, float("-inf"))', "x.masked_fill(T.isnan(x), 0)",
    "(x.detach() // 2) * x + (2 // x.detach()) * x + (2 % x.detach()) * x",
    "(x > 1) * x + (1 < x) * x + (x != 1.5) * x + (2 == x) + (x >= x) * (x <= 3)",
    "((x > 1).long() * 2 // 3 % 2) * x + (x < 1).long() / 2 * x",
    "((x > 1) + 1) * x + ((x > 1) * 2.5) * x + ((x > 1) / 2) * x - ((x > 1).long() ** 2) * x",
    "~((x > 1) & (x <= 2) | (x < 1) ^ (x < 2)) * x", "+x * -x + abs(x)",
)  # fmt: skip
LAYOUTS = {
    "as it is": ("x = a", "a 4 6"),
    "transposed": ("x = a.transpose(0, 1)", "a 6 4"),
    "permuted": ("x = a.permute(2, 0, 1)", "a 3 4 2"),
    "expanded": ("x = a.expand(4, 6)", "a 1 6"),
    "with holes": ("x = a.narrow(1, 0, 4)", "a 4 6"),
    "in the middle of a graph": ("x = (a * 2).transpose(0, 1)", "a 6 4"),
    "bfloat16": ("x = h * 2", "h 4 6"),
}


@pytest.mark.parametrize("text", ONE)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_of_one_tensor(text, layout):
    statement, tensors = LAYOUTS[layout]
    check(*line(f"{statement}; {text}", tensors))
    check(*line(f"{statement}; y = {text}; y.mean() * x.mean() + y.sum() * x", tensors))


@pytest.mark.parametrize("text", ONE)
def test_of_one_tensor_recomputed_and_inside_an_operator(text):
    program, leaves = line(f"x = a; {text}", "a 4 6")
    check(in_checkpoint(program), leaves)
    check(*in_operator(program, leaves))
    check(*in_operator(*line(f"x = a * 1; {text}", "a 4 6")))


TWO = (
    *(f"T.{name}(x, y)" for name in (
        "add", "sub", "mul", "div", "pow", "remainder", "fmod", "atan2", "maximum", "minimum", "hypot", "logaddexp", "rsub",
    )),
    "T.add(x, y, alpha=2)", "T.sub(x, y, alpha=2)", "T.rsub(x, y, alpha=2)",
    'T.div(x, y, rounding_mode="trunc")', 'T.div(x, y, rounding_mode="floor")',
    "T.where(x > y, x, y)", "T.where(x > 1, x, y)", "T.where(y > 1, x, 1.0)", "T.where(y > 1, 2, x)", "T.lerp(x.float(), y.float(), 0.3)",
    "T.clamp(x, min=y)", "T.clamp(x, max=y)", "x.masked_fill(y > 1, 1.0)",
    "(x > y) * x + (x == y) * y + (x != y) * 1.0",
    "T.logical_and(x > y, T.logical_or(x, y)) * x + T.logical_xor(x, y)",
    "T.eq(x, y) * x + T.ge(x, 1) * y + T.lt(y, x)",
    "(~((x > y) & (x <= y) | (x > 1) ^ (y < 2))) * x",
)  # fmt: skip
# How each of two operands lies, by the name that it has in the program: u and v are replaced.
OPERANDS = {
    "4 6": "{}",
    "6 4": "{}.transpose(0, 1)",
    "6": "{}",
    "4 1": "{}",
    "": "{}",
    "2 4 6": "{} * 1",
}


@pytest.mark.parametrize("text", TWO)
def test_of_two_tensors(text):
    for (left, how), (right, other) in itertools.product(OPERANDS.items(), OPERANDS.items()):
        program = f"x = {how.format('a')}; y = {other.format('b')}; {text}"
        check(*line(program, f"a {left}, b {right}"))
        check(*line(program.replace("= b", "= g"), f"a {left}, g {right}"))
        check(*line(program.replace("= a", "= g"), f"g {left}, b {right}"))
    check(*line(f"x = a; y = h; {text}", "a 4 6, h 6"))
    check(*line(f"x = h; y = a; {text}", "a 6, h 4 6"))
    check(*line(f"x = h; y = a; {text}", "a, h 4 6"))
    check(*line(f"x = a; y = a; {text}", "a 4 6"))


@pytest.mark.parametrize("text", TWO)
def test_of_two_tensors_recomputed_and_inside_an_operator(text):
    for tensors in ("a 4 6, b 6", "a 4 6, b 4 6"):
        program, leaves = line(f"x = a; y = b; {text}", tensors)
        check(in_checkpoint(program), leaves)
        check(*in_operator(program, leaves))


THREE = (
    "T.where(x > 1, y, z)", "T.lerp(x, y, z)", "T.addcmul(x, y, z)", "T.addcmul(x, y, z, value=2)", "T.addcdiv(x, y, z)",
    "T.addcdiv(x, y, z, value=2)", "T.clamp(x, y, z)", "x.masked_fill(y > 1, z.sum())",
)  # fmt: skip


@pytest.mark.parametrize("text", THREE)
def test_of_three_tensors(text):
    shapes = {shape: OPERANDS[shape] for shape in ("4 6", "6 4", "6", "4 1")}
    for (first, how), (second, so), (third, thus) in itertools.product(shapes.items(), repeat=3):
        program = f"x = {how.format('a')}; y = {so.format('b')}; z = {thus.format('c')}; {text}"
        check(*line(program, f"a {first}, b {second}, c {third}"))
        check(*line(program.replace("= b", "= g"), f"a {first}, g {second}, c {third}"))
        check(*line(program.replace("= a", "= g"), f"g {first}, b {second}, c {third}"))


B, L, D = (Dim(value, Formula.symbol(name)) for name, value in (("B", 2), ("L", 12), ("D", 8)))


def x() -> Tensor:
    return given((B, L, D))


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (lambda: x() ** 2 + 1, "[B, L, D]"),
        (lambda: T.where(x() > 0, x(), 0.0), "[B, L, D]"),
        (lambda: x() * given((L, 1)), "[B, L, D]"),
        (lambda: given((2, 12, 8)) * given((L, D)), "[2, L, D]"),
        (lambda: T.nn.functional.glu(x()), "[B, L, D/2]"),
        (lambda: x().masked_fill(given((L, 1), types.bool_), 0), "[B, L, D]"),
        (lambda: T.atan2(given((B, 1, 1)), given((L, D))), "[B, L, D]"),
    ],
)
def test_formulas_go_through(made, shape):
    assert shape_text(made().shape) == shape


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: x() * given((B, L + 1, D)),
            ShapeMismatch,
            "mul: [B, L, D] and [B, L + 1, D] do not fit in dimension 1: L = 12 against L + 1 = 13",
        ),
        (
            lambda: T.where(x() > 0, x(), given((D + 1,))),
            ShapeMismatch,
            "where: [B, L, D] and [D + 1] do not fit in dimension 2: D = 8 against D + 1 = 9",
        ),
        (
            lambda: T.nn.functional.glu(given((B, D + 1))),
            ShapeMismatch,
            "glu: dimension 1 of [B, D + 1] is D + 1 = 9, which has no two halves",
        ),
        (
            lambda: T.where(x() > 0),
            UnknownCall,
            "torch.where is not known to the symbolic world: of a condition alone: the size of its result depends on data",
        ),
        (
            lambda: T.where(x(), x(), x()),
            SymbolicError,
            "where: the condition is a tensor of torch.float32, torch wants torch.bool",
        ),
        (
            lambda: x().masked_fill(x(), 0),
            SymbolicError,
            "masked_fill: the mask is a tensor of torch.float32, torch wants torch.bool",
        ),
        (
            lambda: x().masked_fill(x() > 0, given((L,))),
            SymbolicError,
            "masked_fill takes a number or a tensor without dimensions, not one of [L]",
        ),
        (lambda: -(x() > 0), SymbolicError, "neg: torch has it for numbers, not for a bool tensor"),
        (lambda: x() - (x() > 0), SymbolicError, "sub: torch does not subtract bool tensors; use ^ or logical_xor"),
        (lambda: ~x(), SymbolicError, "bitwise_not: torch has it for integers and bool, not for torch.float32"),
        (lambda: x() & 1, SymbolicError, "bitwise_and: torch has it for integers and bool, not for floating point"),
        (lambda: (x() > 0).long() ** -1, SymbolicError, "pow: torch refuses integers to the negative power -1"),
        (lambda: x().clamp(), SymbolicError, "clamp: torch wants at least one of min and max"),
        (
            lambda: x().clamp(given((L, D)), 1),
            SymbolicError,
            "clamp: torch wants bounds that are both numbers or both tensors",
        ),
        (lambda: x() + None, TypeError, "add takes tensors and numbers, not NoneType"),
        (lambda: x() * 1j, UnknownCall, "torch.mul is not known to the symbolic world: with complex numbers"),
        (
            lambda: T.lerp(x(), x().double(), 0.5),
            SymbolicError,
            "lerp: torch wants operands of one type, not torch.float32, torch.float64",
        ),
        (
            lambda: bool(x() > 0),
            UnknownCall,
            "the truth of a tensor is not known to the symbolic world: it depends on data, and a check has none",
        ),
        (
            lambda: (x().requires_grad_() // 2).sum().backward(),
            SymbolicError,
            "backward through floor_divide: torch has no derivative for it",
        ),
        (
            lambda: T.nn.functional.gelu(x(), approximate="sigmoid"),
            UnknownCall,
            "F.gelu is not known to the symbolic world: with approximate='sigmoid'; 'none' and 'tanh' are known",
        ),
    ],
)
def test_says_what_does_not_fit(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == message


def test_tensors_are_compared_element_by_element_and_found_by_identity():
    tensor, other = x(), x()
    assert (tensor == other).dtype is types.bool_
    assert (tensor == None) is False  # noqa: E711 - what torch answers
    assert (tensor != "a") is True
    assert len({tensor, other, tensor}) == 2
    assert tensor in [tensor]
