"""Products, Einstein sums and convolutions: the same operators and bytes in both worlds."""

import itertools

import pytest
from family_checks import check_everywhere, frozen, trained
from worlds import Leaf

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH as T

PAIRS = [
    ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((3, 4), (4, 5)), ((2, 3, 4), (4,)), ((4,), (2, 4, 5)), ((2, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)), ((2, 3, 4), (2, 4, 5)), ((1, 3, 4), (2, 4, 5)), ((2, 3, 4), (1, 4, 5)), ((2, 2, 3, 4), (2, 4, 5)),
    ((2, 2, 3, 4), (2, 2, 4, 5)), ((2, 1, 3, 4), (1, 2, 4, 5)), ((2, 2, 3, 4), (4,)), ((4,), (2, 2, 4, 5)), ((1, 4), (4, 5)),
    ((3, 1), (1, 5)), ((3, 4), (4, 1)), ((2, 3, 1), (2, 1, 5)), ((1, 1, 4), (1, 4, 5)),
]  # fmt: skip
WANTED = [(True, True), (True, False), (False, True)]
SUMS = [
    ("bhqd,bhkd->bhqk", (2, 3, 4, 8), (2, 3, 5, 8)), ("bhqk,bhkd->bhqd", (2, 3, 4, 5), (2, 3, 5, 8)), ("bnd,de->bne", (2, 3, 8), (8, 5)),
    ("i,j->ij", (4,), (5,)), ("bqhd,bkhd->bhqk", (2, 4, 3, 8), (2, 5, 3, 8)), ("...d,de->...e", (2, 3, 8), (8, 5)),
    ("bnd,bne->bde", (2, 3, 4), (2, 3, 5)), ("ij,jk", (3, 4), (4, 5)), ("bi,bi->b", (3, 4), (3, 4)), ("ij,ij->", (3, 4), (3, 4)),
    ("b n d, b n d -> b n", (2, 3, 4), (2, 3, 4)), ("b...d,b...d->b...", (2, 3, 4), (2, 3, 4)), ("nchw,oc->nohw", (2, 4, 3, 3), (5, 4)),
    ("bijk,bjl->bil", (2, 3, 4, 5), (2, 4, 6)), ("ik,jkl->ij", (3, 4), (2, 4, 5)), ("abc,cd->abd", (2, 1, 4), (4, 5)),
]  # fmt: skip


def swapped(shape):
    return (*shape[:-2], shape[-1], shape[-2])


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_matmul(shapes, wanted):
    (left, right), (a, b) = shapes, wanted
    check_everywhere(lambda T, x, y: x @ y, [Leaf(left, a), Leaf(right, b)])
    check_everywhere(lambda T, x, y, c: ((x * c) @ (y * c)) * c, [Leaf(left, a), Leaf(right, b), trained(1)])
    if len(left) > 1:
        check_everywhere(lambda T, x, y: x.transpose(-1, -2) @ y, [Leaf(swapped(left), a), Leaf(right, b)])
    if len(right) > 1:
        check_everywhere(lambda T, x, y: x @ y.transpose(-1, -2), [Leaf(left, a), Leaf(swapped(right), b)])
    if len(left) > 2:
        other = (left[-2], *left[1:-2], left[0], left[-1])
        check_everywhere(lambda T, x, y: x.transpose(0, -2) @ y, [Leaf(other, a), Leaf(right, b)])


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (2, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_linear(shape, dtype):
    linear = lambda T, x, *rest: T.nn.functional.linear(x, *rest)  # noqa: E731
    for x, weight, bias in itertools.product((True, False), (True, False), (True, False, None)):
        leaves = [Leaf(shape, x, dtype), Leaf((5, 4), weight, dtype)]
        leaves += [] if bias is None else [Leaf((5,), bias, dtype)]
        check_everywhere(linear, leaves)
        if len(shape) > 1:
            turned = Leaf((*shape[1:], shape[0]), x, dtype)
            check_everywhere(lambda T, x, *rest: linear(T, x.movedim(-1, 0), *rest), [turned, *leaves[1:]])
            if len(shape) > 2:
                swapped = Leaf((shape[1], shape[0], *shape[2:]), x, dtype)
                check_everywhere(lambda T, x, *rest: linear(T, x.transpose(0, 1), *rest), [swapped, *leaves[1:]])


@pytest.mark.parametrize("wanted", [w for w in itertools.product((True, False), repeat=3) if any(w)], ids=str)
def test_products_added_to_something(wanted):
    numbers = [{}, {"beta": 0.5}, {"alpha": 2}, {"beta": -1, "alpha": -1}]
    for first, factors in itertools.product([(3, 4, 5), (1, 4, 5), (5,), (4, 1)], numbers):
        leaves = [Leaf(s, w) for s, w in zip((first, (3, 4, 8), (3, 8, 5)), wanted, strict=True)]
        check_everywhere(lambda T, c, a, b: T.baddbmm(c, a, b, **factors), leaves)  # noqa: B023
        if len(first) < 3:
            leaves = [Leaf(s, w) for s, w in zip((first, (4, 8), (8, 5)), wanted, strict=True)]
            check_everywhere(lambda T, c, a, b: T.addmm(c, a, b, **factors), leaves)  # noqa: B023


@pytest.mark.parametrize(("equation", "left", "right"), SUMS)
def test_einsum(equation, left, right):
    for a, b in WANTED:
        check_everywhere(lambda T, x, y: T.einsum(equation, x, y), [Leaf(left, a), Leaf(right, b)])


@pytest.mark.parametrize(
    ("equation", "shape"),
    [("ij->i", (4, 5)), ("ij->ji", (4, 5)), ("ij->", (4, 5)), ("bhwc->bchw", (2, 3, 4, 5)), ("...i->...", (2, 3, 4))],
)
def test_einsum_of_one(equation, shape):
    check_everywhere(lambda T, x: T.einsum(equation, x), [trained(*shape)])


@pytest.mark.parametrize(
    ("program", "leaves"),
    [
        (lambda T, a, b: T.tensordot(a, b, 1), [trained(2, 3, 4), trained(4, 5)]),
        (lambda T, a, b: T.tensordot(a, b, dims=([1, 2], [1, 0])), [trained(2, 3, 4), trained(4, 3, 5)]),
        (lambda T, a, b: T.outer(a, b), [trained(4), frozen(5)]),
        (lambda T, a, b: a.mv(b), [trained(4, 5), trained(5)]),
        (lambda T, a, b: a.dot(b), [frozen(5), trained(5)]),
        (lambda T, c, a, b: c.clone().baddbmm_(a, b, alpha=-1), [frozen(3, 4, 5), frozen(3, 4, 8), frozen(3, 8, 5)]),
    ],
)
def test_other_products(program, leaves):
    check_everywhere(program, leaves)


CONVOLUTIONS = [
    (1, {}, (6, 4, 3), (2, 4, 8)), (1, {"padding": 1, "stride": 2}, (6, 4, 3), (2, 4, 8)),
    (1, {"groups": 4, "padding": 2, "dilation": 2}, (4, 1, 3), (2, 4, 8)), (2, {"padding": 1}, (6, 4, 3, 3), (2, 4, 8, 8)),
    (2, {"stride": 2}, (6, 4, 2, 2), (2, 4, 8, 8)), (2, {"groups": 2}, (6, 2, 1, 1), (2, 4, 8, 8)),
    (2, {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 2)}, (6, 4, 3, 3), (1, 4, 8, 8)),
    (2, {"padding": "same"}, (6, 4, 3, 3), (2, 4, 8, 8)), (2, {"padding": "valid"}, (6, 4, 3, 3), (4, 8, 8)),
    (3, {"stride": (1, 2, 2)}, (6, 4, 1, 2, 2), (2, 4, 3, 8, 8)), (3, {"padding": (1, 0, 0)}, (6, 4, 3, 1, 1), (1, 4, 3, 8, 8)),
]  # fmt: skip


@pytest.mark.parametrize(("dims", "options", "weight", "shape"), CONVOLUTIONS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_convolutions(dims, options, weight, shape, dtype):
    for x, w, bias in itertools.product((True, False), (True, False), (True, False, None)):
        if bias and not w:
            continue
        leaves = [Leaf(shape, x, dtype), Leaf(weight, w, dtype)]
        check_everywhere(
            lambda T, x, w, *b: getattr(T.nn.functional, f"conv{dims}d")(x * 2, w * 2, *b, **options),
            leaves if bias is None else [*leaves, Leaf(weight[:1], bias, dtype)],
        )


@pytest.mark.parametrize(
    ("program", "leaves"),
    [
        (lambda T, x, w: T.nn.functional.conv_transpose1d(x, w), [trained(2, 4, 8), trained(4, 6, 3)]),
        (
            lambda T, x, w, b: T.nn.functional.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1),
            [trained(2, 4, 8, 8), trained(4, 6, 3, 3), trained(6)],
        ),
        (
            lambda T, x, w: T.nn.functional.conv_transpose2d(x, w, groups=2, stride=2),
            [trained(2, 4, 8, 8), trained(4, 3, 2, 2)],
        ),
        (
            lambda T, x, w: T.nn.functional.conv2d(x.transpose(2, 3), w.transpose(2, 3)),
            [trained(2, 4, 8, 8), trained(6, 4, 3, 3)],
        ),
        (
            lambda T, x, w: T.nn.functional.conv1d(x.transpose(1, 2), w).transpose(1, 2),
            [trained(2, 8, 4), trained(6, 4, 3)],
        ),
        (
            lambda T, x, w: T.nn.functional.conv2d(x.narrow(1, 2, 4), w, stride=2),
            [trained(2, 8, 8, 8), trained(6, 4, 2, 2)],
        ),
        (
            lambda T, x, w: T.nn.functional.conv3d(x.transpose(1, 2), w, stride=(1, 2, 2)).flatten(2).transpose(1, 2),
            [trained(1, 3, 4, 8, 8), trained(6, 4, 1, 2, 2)],
        ),
        (lambda T, x: T.nn.functional.max_pool2d(x.transpose(2, 3), 3, 2, 1), [trained(2, 4, 8, 8)]),
        (lambda T, x: T.nn.functional.avg_pool2d(x, (2, 3), 1) * 2, [trained(4, 8, 8)]),
        (lambda T, x: T.nn.functional.avg_pool3d(x, (1, 2, 2)), [trained(2, 4, 4, 8, 8)]),
        (lambda T, x: T.nn.functional.avg_pool1d(x * 2, 3, 2, 1), [trained(2, 4, 8)]),
        (lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, 1), [trained(2, 4, 8, 8)]),
        (lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, (2, None)), [trained(2, 4, 8, 8)]),
    ],
)
def test_layouts_and_pools(program, leaves):
    check_everywhere(program, leaves)


def dim(value, name):
    return Dim(value, Formula.symbol(name))


D, L = dim(16, "D"), dim(12, "L")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: given((2, L, D)) @ given((8, 4)),
            ShapeMismatch,
            "matmul: [2, L, D] and [8, 4] do not fit: D = 16 against 8",
        ),
        (
            lambda: given((3, D)) @ given((L,)),
            ShapeMismatch,
            "matmul: [3, D] and [L] do not fit: D = 16 against L = 12",
        ),
        (lambda: given((3, D)).mv(given((L,))), ShapeMismatch, "mv: [3, D] and [L] do not fit: D = 16 against L = 12"),
        (
            lambda: T.einsum("bnd,de->bne", given((2, L, D)), given((L, 4))),
            ShapeMismatch,
            "einsum('bnd,de->bne'): 'd' is D = 16 and L = 12",
        ),
        (
            lambda: T.einsum("bd,de->be", given((2, L, D)), given((D, 4))),
            ShapeMismatch,
            "einsum('bd,de->be'): 'bd' does not name the 3 dimensions of [2, L, D]",
        ),
        (
            lambda: T.einsum("ii->i", given((3, 3))),
            UnknownCall,
            "torch.einsum is not known to the symbolic world: of a diagonal, 'ii'",
        ),
        (
            lambda: T.baddbmm(given((L, 5)), given((3, 4, 8)), given((3, 8, 5))),
            ShapeMismatch,
            "baddbmm: [3, 4, 5] and [L, 5] do not fit in dimension 1: 4 against L = 12",
        ),
        (
            lambda: T.nn.functional.conv2d(given((2, D, 8, 8)), given((6, 4, 2, 2))),
            ShapeMismatch,
            "conv2d: the input [2, D, 8, 8] has D = 16 channels, the weight [6, 4, 2, 2] takes 4",
        ),
        (
            lambda: T.nn.functional.conv2d(given((2, 8, 8, 4)).permute(0, 3, 1, 2), given((6, 4, 2, 2))),
            UnknownCall,
            "F.conv2d is not known to the symbolic world: of a tensor whose channels lie innermost; make it contiguous first",
        ),
        (
            lambda: T.nn.functional.conv2d(given((2, 4, 8, 8)), given((6, 4, 2, 2)), given((6,), requires_grad=True)),
            UnknownCall,
            "a convolution is not known to the symbolic world: with a frozen weight and a trained bias: what its backward makes depends "
            "on the CPU's library",
        ),
        (
            lambda: T.nn.functional.avg_pool2d(given((2, 4, 8, 8)), 3, ceil_mode=True),
            UnknownCall,
            "F.avg_pool2d is not known to the symbolic world: with ceil_mode",
        ),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == message


def test_formulas_are_kept():
    h, p = dim(6, "h"), dim(2, "p")
    patches = T.nn.functional.conv2d(given((1, 4, p * h, 8)), given((D, 4, 2, 2)), stride=2)
    assert [str(size.formula) if isinstance(size, Dim) else size for size in patches.shape] == [1, "D", "h*p/2", 4]
    scores = T.einsum("bqd,bkd->bqk", given((1, L, 4)), given((1, dim(5, "S"), 4)))
    assert [repr(size) for size in scores.shape[1:]] == ["L = 12", "S = 5"]
