"""Normalisation: the same operators and bytes in both worlds."""

import itertools

import pytest
from family_checks import check_everywhere, frozen, trained
from worlds import Leaf

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH as T

TYPES = [("float32", "float32"), ("bfloat16", "bfloat16"), ("bfloat16", "float32"), ("float64", "float64")]
# of x, weight and bias: True trained, False frozen, None left out
WANTED = [w for w in itertools.product((True, False), (True, False, None), (True, False, None)) if True in w]
LAYOUTS = {
    "as it is": (lambda s: s, lambda x: x),
    "transposed": (lambda s: (s[1], s[0], *s[2:]), lambda x: x.transpose(0, 1)),
    "a part": (lambda s: (*s[:-1], s[-1] + 4), lambda x: x.narrow(-1, 1, x.shape[-1] - 4)),
}


@pytest.mark.parametrize(("dtype", "affine"), TYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layer_norm_and_rms_norm(dtype, affine, layout):
    given_shape, look = LAYOUTS[layout]
    for (x, weight, bias), over in itertools.product(WANTED, [(16,), (8, 16)]):
        if dtype != affine and weight is None and bias is not None:
            continue  # torch refuses it
        leaves = [Leaf(given_shape((3, 8, 16)), x, dtype)]
        leaves += [Leaf(over, each, affine) for each in (weight, bias) if each is not None]

        def layer_norm(T, x, *rest, weight=weight, bias=bias, over=over):
            rest = list(rest)
            w = rest.pop(0) if weight is not None else None
            return T.nn.functional.layer_norm(look(x), over, w, rest.pop(0) if bias is not None else None)

        check_everywhere(layer_norm, leaves)
        if bias is None:
            check_everywhere(lambda T, x, *w, over=over: T.nn.functional.rms_norm(look(x), over, *w), leaves)


@pytest.mark.parametrize(("dtype", "affine"), TYPES)
@pytest.mark.parametrize("shape", [(2, 8, 5, 5), (2, 8, 5), (2, 8), (2, 8, 3, 4, 5), (1, 8, 1, 1)], ids=str)
def test_group_norm(dtype, affine, shape):
    for x, weight, bias in WANTED:
        if (weight is None) != (bias is None):
            continue
        rest = [Leaf((8,), each, affine) for each in (weight, bias) if each is not None]
        check_everywhere(lambda T, x, *w: T.nn.functional.group_norm(x, 4, *w), [Leaf(shape, x, dtype), *rest])
    if len(shape) == 3:
        turned = trained(shape[0], shape[2], shape[1], dtype=dtype)
        check_everywhere(lambda T, x: T.nn.functional.group_norm(x.transpose(1, 2), 4), [turned])


@pytest.mark.parametrize("dim", [-1, 0, 1, (1, 2)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_normalize(dim, dtype):
    for look in (lambda x: x, lambda x: x.transpose(0, 1)):
        leaves = [trained(4, 3, 6, dtype=dtype), trained(1, dtype=dtype)]
        check_everywhere(lambda T, x, c: T.nn.functional.normalize(look(x), dim=dim), leaves)  # noqa: B023
        check_everywhere(lambda T, x, c: T.nn.functional.normalize(look(x) * c, dim=dim, eps=1e-5) * c, leaves)  # noqa: B023
        check_everywhere(lambda T, x, c: T.nn.functional.normalize(look(x), p=1, dim=dim) * c, leaves)  # noqa: B023


@pytest.mark.parametrize(
    ("program", "leaves"),
    [
        (
            lambda T, x, w: T.nn.functional.layer_norm(T.nn.functional.layer_norm(x * w, (16,), w, w) + x, (16,)),
            [trained(3, 8, 16), trained(16)],
        ),
        (lambda T, x, w: T.nn.functional.rms_norm(x * w, (16,), w) * x, [trained(3, 8, 16), trained(16)]),
        (lambda T, x: T.native_layer_norm(x, (16,), None, None, 1e-5)[0], [frozen(3, 8, 16)]),
    ],
)
def test_together(program, leaves):
    check_everywhere(program, leaves)


def dim(value, name):
    return Dim(value, Formula.symbol(name))


D, K = dim(16, "D"), dim(8, "K")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: T.nn.functional.layer_norm(given((2, 4, D)), (K,)),
            ShapeMismatch,
            "layer_norm: [2, 4, D] does not end in [K]: D = 16 against K = 8",
        ),
        (
            lambda: T.nn.functional.rms_norm(given((2, 4, D)), (D,), given((K,))),
            ShapeMismatch,
            "rms_norm: weight or bias of [K] over [D]",
        ),
        (
            lambda: T.nn.functional.layer_norm(given((2, D)), (D,), given((D,), types.bfloat16)),
            SymbolicError,
            "layer_norm: an input of torch.float32 with weight and bias of torch.bfloat16",
        ),
        (
            lambda: T.nn.functional.group_norm(given((2, D, 4)), 3),
            ShapeMismatch,
            "group_norm: [2, D, 4] has no channels that 3 groups divide",
        ),
        (
            lambda: T.nn.functional.group_norm(given((2, 4, 5, 8)).permute(0, 3, 1, 2), 4),
            UnknownCall,
            "F.group_norm is not known to the symbolic world: of a tensor whose channels lie innermost; make it contiguous first",
        ),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == message
