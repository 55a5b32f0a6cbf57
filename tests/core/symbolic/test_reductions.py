"""Reductions, norms, extremes and softmax: the same operators and bytes in both worlds."""

import itertools

import pytest
from family_checks import check_everywhere, frozen, trained

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH as T

pytestmark = pytest.mark.filterwarnings("ignore:.*degrees of freedom")

SHAPES = [(8, 16), (3, 4, 5), (4, 1, 5), (6,)]
INFINITY = float("inf")

REDUCTIONS = {
    **{
        name: lambda T, x, name=name, **over: getattr(x, name)(**over)
        for name in ("sum", "mean", "var", "std", "amax", "amin", "norm", "any", "all")
    },
    **{
        f"norm {p}": lambda T, x, p=p, **over: T.linalg.vector_norm(x, p, **over) for p in (1, 1.5, 3, INFINITY)
    },
    "var_mean": lambda T, x, **over: (lambda pair: pair[0] * pair[1])(T.var_mean(x, **over)),
    "the mean of var_mean": lambda T, x, **over: T.var_mean(x, **over)[1],
    "std_mean": lambda T, x, **over: (lambda pair: pair[0] + pair[1])(T.std_mean(x, **over)),
    "the deviation of std_mean": lambda T, x, **over: T.std_mean(x, **over)[0],
    "correction": lambda T, x, **over: x.std(correction=0, **over),
}  # fmt: skip
OVER_ONE = {
    **{
        name: lambda T, x, name=name, **over: getattr(x, name)(**over) for name in ("prod", "logsumexp", "argmax", "argmin")
    },
    **{
        name: lambda T, x, name=name, **over: getattr(x, name)(**over).values for name in ("max", "min", "median")
    },
    "max and where": lambda T, x, **over: (lambda values, indices: values * indices)(*x.max(**over)),
}  # fmt: skip
ALONG = {
    **{
        name: lambda T, x, d, name=name: getattr(x, name)(d) for name in ("cumsum", "softmax", "log_softmax", "argsort")
    },
    "sort": lambda T, x, d: x.sort(d).values,
    "sort, and where": lambda T, x, d: (lambda values, indices: values * indices)(*x.sort(d, descending=True)),
    "topk": lambda T, x, d: x.topk(1, d).values,
    "F.softmax": lambda T, x, d: T.nn.functional.softmax(x * 2, dim=d),
}  # fmt: skip


def layouts(shape):
    return [lambda x: x, lambda x: x.transpose(0, -1)] if len(shape) > 1 else [lambda x: x]


@pytest.mark.parametrize("name", REDUCTIONS)
def test_over_any_dimensions(name):
    for shape in SHAPES:
        several = [(0, 1), (0, -1)] if len(shape) > 2 else []
        for layout, dim in itertools.product(layouts(shape), [-1, *range(len(shape) - 1), *several]):
            if name in ("any", "all") and not isinstance(dim, int):
                continue

            def kept(T, x, layout=layout, dim=dim):
                return layout(x) * 1 + REDUCTIONS[name](T, layout(x), dim=dim, keepdim=True)

            def gone(T, x, layout=layout, dim=dim):
                return REDUCTIONS[name](T, layout(x), dim=dim) * x.sum()

            check_everywhere(kept, [trained(*shape)])
            check_everywhere(gone, [trained(*shape)])


@pytest.mark.parametrize("name", REDUCTIONS)
def test_over_everything(name):
    for shape in SHAPES:
        check_everywhere(lambda T, x: REDUCTIONS[name](T, x.transpose(0, -1)) * x, [trained(*shape)])


@pytest.mark.parametrize("name", OVER_ONE)
def test_over_one_dimension(name):
    for shape in SHAPES:
        for layout, dim, keepdim in itertools.product(layouts(shape), [-1, *range(len(shape) - 1)], (False, True)):

            def program(T, x, layout=layout, dim=dim, keepdim=keepdim):
                return OVER_ONE[name](T, layout(x), dim=dim, keepdim=keepdim) * x.mean()

            check_everywhere(program, [trained(*shape)])


@pytest.mark.parametrize("name", ["prod", "max", "min", "argmax"])
def test_of_all_elements(name):
    for shape in SHAPES:
        check_everywhere(lambda T, x: getattr(x.transpose(0, -1), name)() * x, [trained(*shape)])


@pytest.mark.parametrize("name", ALONG)
def test_along_a_dimension(name):
    for shape in SHAPES:
        for layout in layouts(shape):
            for dim in range(-1, len(shape) - 1):
                check_everywhere(lambda T, x: layout(x) * ALONG[name](T, layout(x), dim), [trained(*shape)])  # noqa: B023


@pytest.mark.parametrize(
    ("program", "leaves"),
    [
        (lambda T, x: x.sum(-1, dtype=T.float32), [trained(4, 6, dtype="bfloat16")]),
        (lambda T, x: x.mean(dtype=T.float32), [trained(4, 6, dtype="bfloat16")]),
        (lambda T, x: x.std(-1, keepdim=True), [trained(4, 6, dtype="bfloat16")]),
        (lambda T, x: x.softmax(-1, dtype=T.float32).to(x.dtype), [trained(4, 6, dtype="bfloat16")]),
        (lambda T, x: x.cumsum(-1, dtype=T.float32), [trained(4, 6, dtype="bfloat16")]),
        (lambda T, x, w: x.sum() * w, [frozen(4, 6, dtype="int64"), trained(1)]),
        (lambda T, x, w: x.sum(-1) * w.sum(), [frozen(4, 6, dtype="bool"), trained(1)]),
        (lambda T, x, w: x.prod(-1) * w, [frozen(4, 6, dtype="int32"), trained(1)]),
        (lambda T, x, w: x.cumsum(-1) * w, [frozen(4, 6, dtype="int32"), trained(1)]),
        (lambda T, x, w: x.all(1) * w, [frozen(4, 6, dtype="uint8"), trained(1)]),
        (lambda T, x: x.expand(4, 6).sum(-1), [trained(1, 6)]),
        (lambda T, x: x.expand(4, 6).std(-1), [trained(4, 1)]),
        (lambda T, x: x.narrow(1, 1, 3).var(-1), [trained(4, 6)]),
        (lambda T, x: x.std(-1, False, True), [trained(4, 6)]),
        (lambda T, x: x.std(False), [trained(4, 6)]),
        (lambda T, x: T.norm(x, 2, -1), [trained(4, 6)]),
        (lambda T, x: T.linalg.norm(x), [trained(4, 6)]),
        (lambda T, x: T.linalg.norm(x, 1, -1), [trained(4, 6)]),
        (lambda T, x: T.max(x, dim=1, keepdim=True).values, [trained(4, 6)]),
        (lambda T, x, y: T.max(x, y), [trained(4, 6), trained(6)]),
        (lambda T, x: x.sum().prod() + x.sum().amax() + x.sum().mean() + x.sum().norm(), [trained(4)]),
    ],
)
def test_types_and_forms(program, leaves):
    check_everywhere(program, leaves)


def dim(value, name):
    return Dim(value, Formula.symbol(name))


def test_formulas_are_kept():
    x = given((dim(2, "B"), dim(12, "L"), 4))
    assert [str(size) for size in map(repr, x.mean(1, keepdim=True).shape)] == ["B = 2", "1", "4"]
    assert repr(x.argmax(-1).shape[1]) == "L = 12"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: x.topk(dim(20, "V"), 1),
            ShapeMismatch,
            "topk: V = 20 of dimension 1 of [B, L, 4], which has L = 12",
        ),
        (
            lambda x: x.long().mean(),
            SymbolicError,
            "mean: [B, L, 4] is of torch.int64; torch wants floating point",
        ),
        (
            lambda x: x.median(),
            UnknownCall,
            "torch.median is not known to the symbolic world: of all elements; along a dimension it is known",
        ),
        (
            lambda x: x.requires_grad_().cumprod(0),
            UnknownCall,
            "torch.cumprod is not known to the symbolic world: with a gradient",
        ),
        (
            lambda x: x.norm("nuc"),
            UnknownCall,
            "torch.norm is not known to the symbolic world: with p='nuc'",
        ),
        (
            lambda x: T.nn.functional.softmax(x),
            UnknownCall,
            "torch.softmax is not known to the symbolic world: without a dimension; torch's choice of one is deprecated",
        ),
        (
            lambda x: T.linalg.norm(x, 2, (0, 1)),
            UnknownCall,
            "torch.linalg.norm is not known to the symbolic world: of matrices with ord=2",
        ),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error) as raised:
        call(given((dim(2, "B"), dim(12, "L"), 4)))
    assert str(raised.value) == message


def test_index_type():
    assert given((3, 4)).argmin(-1).dtype is types.int64
