"""Tensors out of nothing, and what there is to know about types, devices and seeds."""

from __future__ import annotations

import pytest
import torch
from lines import in_operator, line
from worlds import check

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.raw import shape_text
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH as T

# Each is made, summed, and added to a number that is trained; `g` is a frozen tensor to take the shape from.
MADE = (
    "T.zeros(2, 3)",
    "T.zeros(())",
    "T.zeros((2, 3), device=g.device)",
    "T.ones((2, 3), dtype=T.bfloat16)",
    "T.ones(size=(2, 3))",
    "T.full((2, 3), 1.0)",
    "T.full((2, 3), 1)",
    "T.full((2, 3), True)",
    "T.full((2, 3), 1, dtype=T.float64)",
    "T.arange(5)",
    "T.arange(1, 5.0)",
    "T.arange(0, 7, 2)",
    "T.arange(7, 0, -2)",
    "T.arange(9, 2, -1)",
    "T.arange(0, 1, 0.3)",
    "T.arange(5, dtype=T.bfloat16)",
    "T.arange(start=1, end=9, step=3)",
    "T.arange(2, end=9)",
    "T.arange(-3, 9, 5)",
    "T.arange(0)",
    "T.linspace(0, 1, 5)",
    "T.logspace(0, 1, 5)",
    "T.rand(2, 3)",
    "T.randn((2, 3), dtype=T.float64)",
    "T.randn((2, 3), generator=T.Generator().manual_seed(3))",
    "T.randint(0, 5, (2, 3))",
    "T.randint(5, (2, 3))",
    "T.randint(low=0, high=5, size=(2, 3))",
    "T.randperm(5)",
    "T.eye(3)",
    "T.eye(3, 4)",
    "T.zeros_like(g.t())",
    "T.zeros_like(g[:, :1].expand(3, 4))",
    "T.zeros_like(g[:, ::2])",
    "T.ones_like(g.view(3, 2, 2)[:, :, ::2].permute(2, 0, 1))",
    "T.ones_like(g, dtype=T.float64)",
    "T.empty_like(g.t()).zero_()",
    "T.empty_like(g.t(), memory_format=T.contiguous_format).zero_()",
    "T.empty(2, 3, memory_format=T.contiguous_format).zero_()",
    "T.full_like(g.t(), 2)",
    "T.rand_like(g.t())",
    "T.randn_like(g.t(), dtype=T.bfloat16)",
    "T.randint_like(g.t(), 3)",
    "g.t().new_zeros(2, 3)",
    "g.t().new_ones((2, 3), dtype=T.int64)",
    "g.new_full((2, 3), 1)",
    "g.new_empty(g.shape).zero_()",
    "g.bfloat16().new_tensor([1, 2])",
    "T.tensor([1.0, 2.0])",
    "T.tensor(1)",
    "T.tensor([[1, 2], [3, 4.0]])",
    "T.tensor([True, False])",
    "T.tensor([True, 2])",
    "T.tensor([])",
    "T.tensor([[], []])",
    "T.tensor((1, 2), dtype=T.bfloat16)",
    "T.tensor(range(3))",
    "T.tensor(g.t())",
    "T.as_tensor([1, 2])",
    "T.as_tensor(g)",
    "T.as_tensor(g, dtype=T.float64)",
    "T.scalar_tensor(1)",
    'g.to(T.device("cpu")).to("cpu", T.float64).cpu().to(g.device)',
    "T.full((2,), T.finfo(T.bfloat16).min)",
    "T.zeros(2, dtype=T.get_default_dtype())",
    'T.stack(T.meshgrid(T.arange(3), T.arange(4), indexing="ij"), -1)',
    "T.outer(T.arange(3), T.arange(4))",
    "T.ones(3, 3, dtype=T.bool).tril()",
    'T.triu(T.full((3, 3), float("-inf")), 1)',
)


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")
@pytest.mark.parametrize("text", MADE)
def test_both_worlds_agree(text):
    program, leaves = line(f"({text}).float().sum() + a", "a, g 3 4")
    check(program, leaves)


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")
@pytest.mark.parametrize("text", MADE)
def test_both_worlds_agree_inside_an_operator(text):
    check(*in_operator(*line(text, "g 3 4")))


@pytest.mark.parametrize(
    "text", ["a * T.ones(3, requires_grad=True)", "a * T.tensor([1.0, 2.0, 3.0], requires_grad=True)"]
)
def test_a_leaf_made_on_the_way_gets_its_gradient(text):
    check(*line(text, "a 3"))


B, L, t = (Dim(value, Formula.symbol(name)) for name, value in (("B", 2), ("L", 12), ("T", 5)))


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (lambda: T.zeros(B, L * t, L // 4), "[B, L*T, L/4]"),
        (lambda: T.arange(L), "[L]"),
        (lambda: T.arange(0.0, L), "[L]"),
        (lambda: T.arange(t, L), "[L - T]"),
        (lambda: T.arange(0, L, 2), "[L/2]"),
        (lambda: T.arange(L - 1, -1, -1), "[L]"),
        (lambda: T.linspace(0, 1, L), "[L]"),
        (lambda: T.eye(L, t), "[L, T]"),
        (lambda: T.randperm(L), "[L]"),
        (lambda: T.full((B, L), 0.5), "[B, L]"),
        (lambda: given((B, L)).new_zeros(L, B), "[L, B]"),
        (lambda: T.randn_like(given((B, L))), "[B, L]"),
    ],
)
def test_formulas_go_through(made, shape):
    assert shape_text(made().shape) == shape


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: T.zeros(B, t - L), ShapeMismatch, "torch.zeros: a dimension of -L + T = -7 in [B, -L + T]"),
        (lambda: T.zeros(2, L / 2), TypeError, "torch.zeros: a size must be an int, not float: 6.0"),
        (lambda: T.zeros(2.5), TypeError, "torch.zeros: a size must be an int, not float: 2.5"),
        (lambda: T.zeros(2, out=None), UnknownCall, "torch.zeros is not known to the symbolic world: with out"),
        (
            lambda: T.zeros(2, device="meta"),
            UnknownCall,
            'torch.device("meta") is not known to the symbolic world: its tensors have no memory to predict',
        ),
        (
            lambda: T.empty_like(given((2, 3, 4, 5)), memory_format="channels_last"),
            UnknownCall,
            "torch.empty_like is not known to the symbolic world: with memory_format = channels_last",
        ),
        (
            lambda: T.full((2,), given(())),
            UnknownCall,
            "torch.full is not known to the symbolic world: with a tensor for a number, which reads data",
        ),
        (
            lambda: T.arange(0, L, 0.5),
            UnknownCall,
            "torch.arange is not known to the symbolic world: from, to or in steps of a fraction, with a dimension: its length has no "
            "formula",
        ),
        (
            lambda: T.arange(5, 1),
            ValueError,
            "arange: from 5 to 1 in steps of 1: bounds and the sign of step do not fit",
        ),
        (
            lambda: T.tensor([[1, 2], [3]]),
            ValueError,
            "torch.tensor: expected sequences of one shape: element 0 has [2], element 1 [1]",
        ),
        (
            lambda: T.tensor([given(()), given(())]),
            UnknownCall,
            "torch.tensor is not known to the symbolic world: of a list of tensors, which reads their numbers; write torch.stack",
        ),
        (lambda: T.tensor("x"), UnknownCall, "torch.tensor is not known to the symbolic world: of a str"),
        (
            lambda: T.ones(2, dtype=T.int64, requires_grad=True),
            RuntimeError,
            "only Tensors of floating point and complex dtype can require gradients",
        ),
    ],
)
def test_what_cannot_be_made_says_why(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_limits_of_floats_are_torchs(name):
    real, ours = torch.finfo(getattr(torch, name)), T.finfo(getattr(T, name))
    for what in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(ours, what) == getattr(real, what), what


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_limits_of_integers_are_torchs(name):
    real, ours = torch.iinfo(getattr(torch, name)), T.iinfo(getattr(T, name))
    for what in ("bits", "max", "min", "dtype"):
        assert getattr(ours, what) == getattr(real, what), what


def test_there_are_no_limits_of_the_other_kind():
    with pytest.raises(TypeError, match=r"torch.finfo\(\) requires a floating point input type"):
        T.finfo(T.int64)
    with pytest.raises(TypeError, match=r"torch.iinfo\(\) requires an integer input type"):
        T.iinfo(T.float32)


def test_promotion_is_torchs():
    for left in NAMES:
        for right in NAMES:
            want = torch.promote_types(getattr(torch, left), getattr(torch, right))
            assert T.promote_types(getattr(T, left), getattr(T, right)).name == str(want).removeprefix("torch."), (
                left,
                right,
            )
            able = torch.can_cast(getattr(torch, left), getattr(torch, right))
            assert T.can_cast(getattr(T, left), getattr(T, right)) is able, (left, right)


@pytest.mark.parametrize("number", [True, 1, 1.5])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_result_types_are_torchs(number, shape):
    for name in NAMES:
        want = torch.result_type(torch.zeros(shape, dtype=getattr(torch, name)), number)
        assert T.result_type(given(shape, types.NAMES[name]), number).name == str(want).removeprefix("torch."), name


def test_the_default_type_is_what_factories_use():
    try:
        T.set_default_dtype(T.bfloat16)
        assert T.zeros(2).dtype is T.tensor([1.0]).dtype is T.get_default_dtype() is T.bfloat16
        assert T.arange(3).dtype is T.int64
    finally:
        T.set_default_dtype(T.float32)
    with pytest.raises(TypeError, match="only floating-point types are supported as the default type"):
        T.set_default_dtype(T.int64)


def test_there_is_one_device_whatever_it_is_called():
    x = given((2, 3))
    assert x.cuda() is x.cpu() is x.to("cuda:1") is x.to(T.device("cuda", 0)) is x
    assert str(x.device) == "cpu"
    assert not x.is_cuda
    assert str(T.device("cuda", 1)) == "cuda:1"
    assert T.device("cuda:1") == T.device("cuda", 1) != T.device("cuda")
    assert isinstance(x.device, T.device)


def test_bytes_are_counted():
    x = given((B, 3), types.bfloat16)
    assert (x.element_size(), x.itemsize, int(x.nbytes)) == (2, 2, 12)
    assert x.is_floating_point()
    assert not T.is_complex(x)
    assert T.is_tensor(x)
    assert not T.is_tensor(3)


def test_seeds_are_taken():
    assert T.manual_seed(7).initial_seed() == 7
    assert T.Generator(device="cuda").manual_seed(3).initial_seed() == 3
