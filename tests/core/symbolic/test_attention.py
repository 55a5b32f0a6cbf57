"""Attention on torch's CPU paths: flash where it serves, else plain operators; the same bytes in both worlds."""

import itertools

import pytest
from family_checks import check_everywhere, frozen, trained
from worlds import Leaf

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH as T

WANTED = [wanted for wanted in itertools.product((True, False), repeat=3) if any(wanted)]
OPTIONS = [{}, {"is_causal": True}, {"scale": 0.3}, {"dropout_p": 0.1}, {"is_causal": True, "dropout_p": 0.1}]
MASKS = [(8, 12), (2, 1, 8, 12), (2, 3, 8, 12), (1, 1, 1, 12), (1, 12), (3, 8, 12), (8, 1)]
LAYOUTS = {
    "as it is": (lambda s: s, lambda x: x),
    "heads behind tokens": (lambda s: (s[0], s[2], s[1], s[3]), lambda x: x.transpose(1, 2)),
    "heads first": (lambda s: (s[1], s[0], s[2], s[3]), lambda x: x.transpose(0, 1)),
    "width not innermost": (lambda s: (s[0], s[1], s[3], s[2]), lambda x: x.transpose(2, 3)),
    "a part": (lambda s: (s[0], s[1], s[2], 2 * s[3]), lambda x: x.narrow(3, 0, x.shape[3] // 2)),
    "tokens first": (lambda s: (s[2], s[0], s[1], s[3]), lambda x: x.permute(1, 2, 0, 3)),
    "expanded": (lambda s: (1, *s[1:]), lambda x: x.expand(2, *x.shape[1:])),
}


def attend(T, *tensors, **options):
    return T.nn.functional.scaled_dot_product_attention(*tensors, **options)


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_who_wants_a_gradient(wanted):
    q, k, v = wanted
    for keys, options in itertools.product((8, 12), OPTIONS):
        leaves = [Leaf((2, 3, 8, 16), q), Leaf((2, 3, keys, 16), k), Leaf((2, 3, keys, 16), v)]
        check_everywhere(lambda T, *x: attend(T, *x, **options), leaves)  # noqa: B023
    shapes = {
        "three dimensions": [(3, 8, 16)] * 3,
        "five": [(2, 1, 3, 8, 16)] * 3,
        "wider values": [(2, 3, 8, 16), (2, 3, 8, 16), (2, 3, 8, 24)],
        "one batch of keys": [(2, 3, 8, 16), (1, 3, 8, 16), (1, 3, 8, 16)],
    }
    for each in shapes.values():
        check_everywhere(attend, [Leaf(shape, want) for shape, want in zip(each, wanted, strict=True)])
    grouped = [Leaf((2, 6, 8, 16), q), Leaf((2, 3, 8, 16), k), Leaf((2, 3, 8, 16), v)]
    check_everywhere(lambda T, *x: attend(T, *x, enable_gqa=True), grouped)


@pytest.mark.parametrize("shape", MASKS, ids=str)
@pytest.mark.parametrize(("dtype", "wanted"), [("float32", False), ("float32", True), ("bool", False)])
def test_masks(shape, dtype, wanted):
    for q, k, v in WANTED:
        leaves = [Leaf((2, 3, 8, 16), q), Leaf((2, 3, 12, 16), k), Leaf((2, 3, 12, 16), v), Leaf(shape, wanted, dtype)]
        check_everywhere(lambda T, q, k, v, mask: attend(T, q, k, v, attn_mask=mask), leaves)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_types(dtype):
    same = [trained(2, 3, 8, 16, dtype=dtype)] * 3
    for options in OPTIONS:
        check_everywhere(lambda T, *x: attend(T, *x, **options), same)  # noqa: B023
    check_everywhere(attend, [*same, frozen(8, 8, dtype="bool")])
    check_everywhere(attend, [*same, frozen(8, 8, dtype=dtype)])
    check_everywhere(attend, [*same[:2], trained(2, 3, 8, 24, dtype=dtype)])


@pytest.mark.parametrize("of_q", LAYOUTS)
@pytest.mark.parametrize("of_k", LAYOUTS)
def test_layouts(of_q, of_k):
    (q_shape, q_look), (k_shape, k_look) = LAYOUTS[of_q], LAYOUTS[of_k]
    leaves = [trained(*q_shape((2, 3, 8, 16))), *[trained(*k_shape((2, 3, 12, 16)))] * 2, trained(1)]
    check_everywhere(lambda T, q, k, v, c: attend(T, q_look(q), k_look(k), k_look(v)), leaves)
    check_everywhere(
        lambda T, q, k, v, c: attend(T, q_look(q * c), k_look(k * c), k_look(v)).transpose(1, 2).flatten(2), leaves
    )


@pytest.mark.parametrize("shape", [(1, 3, 8, 16), (2, 1, 8, 16), (2, 3, 1, 16), (2, 3, 8, 5), (2, 3, 8, 1)], ids=str)
def test_sizes(shape):
    check_everywhere(attend, [trained(*shape)] * 3)
    turned = [trained(shape[0], shape[2], shape[1], shape[3])] * 3
    check_everywhere(lambda T, *x: attend(T, *[each.transpose(1, 2) for each in x]), turned)


def test_projection_of_all_three():
    def program(T, x, w):
        q, k, v = T.nn.functional.linear(x, w).unflatten(-1, (3, 3, 16)).permute(2, 0, 3, 1, 4).unbind(0)
        return attend(T, q, k, v).transpose(1, 2).flatten(2)

    check_everywhere(program, [trained(2, 8, 48), trained(144, 48)])


def dim(value, name):
    return Dim(value, Formula.symbol(name))


K, S = dim(16, "K"), dim(12, "S")


@pytest.mark.parametrize(
    ("shapes", "options", "error", "message"),
    [
        (
            [(2, 3, 8, K), (2, 3, 8, S), (2, 3, 8, S)],
            {},
            ShapeMismatch,
            "scaled_dot_product_attention: head widths of [2, 3, 8, K] and [2, 3, 8, S] do not fit: K = 16 against S = 12",
        ),
        (
            [(2, 3, 8, K), (2, 3, S, K), (2, 3, 8, K)],
            {},
            ShapeMismatch,
            "scaled_dot_product_attention: S = 12 keys and 8 values",
        ),
        (
            [(2, 3, 8, K), (2, 5, 8, K), (2, 5, 8, K)],
            {},
            ShapeMismatch,
            "scaled_dot_product_attention: heads of [2, 3, 8, K] and [2, 5, 8, K] do not fit: 3 against 5",
        ),
        (
            [(2, 3, 8, K), (2, 3, S, K), (2, 3, S, K), (8, 9)],
            {},
            ShapeMismatch,
            "scaled_dot_product_attention: a mask [8, 9] for S = 12 keys",
        ),
        (
            [(6, 8, K), (3, 8, K), (3, 8, K)],
            {"enable_gqa": True},
            UnknownCall,
            "F.scaled_dot_product_attention is not known to the symbolic world: with grouped queries where flash attention does not serve",
        ),
    ],
)
def test_what_is_refused(shapes, options, error, message):
    with pytest.raises(error) as raised:
        attend(T, *map(given, shapes), **options)
    assert str(raised.value) == message
