"""Losses, dropout and embeddings: the same operators and bytes in both worlds."""

import itertools

import pytest
from family_checks import check_everywhere, frozen, trained
from worlds import Leaf

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH as T

# torch warns where it broadcasts a target
pytestmark = pytest.mark.filterwarnings("ignore:Using a target size")

WANTED = [(True, True), (True, False), (False, True)]
REDUCTIONS = ["mean", "sum", "none"]


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_errors(name, reduction):
    def program(look, other):
        return lambda T, a, b: getattr(T.nn.functional, name)(look(a), other(b), reduction=reduction)

    same, turned = (lambda x: x), (lambda x: x.t())
    for (a, b), dtype in itertools.product(WANTED, ("float32", "bfloat16")):
        square = [Leaf((6, 6), a, dtype), Leaf((6, 6), b, dtype)]
        for first, second in ((same, same), (turned, turned), (same, turned), (lambda x: x * 2, same)):
            check_everywhere(program(first, second), square)
    for (a, b), shapes in itertools.product(WANTED, (((4, 6), (6,)), ((4, 1), (4, 6)), ((3, 4, 6), (4, 1)))):
        check_everywhere(program(same, same), [Leaf(shapes[0], a), Leaf(shapes[1], b)])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_classes(reduction, dtype):
    functions = ("cross_entropy", "nll_loss")
    for name, shape in itertools.product(functions, ((4, 8), (8,), (2, 8, 3), (2, 8, 3, 4), (2, 8, 2, 3, 4))):
        classes = frozen(*shape[:1], *shape[2:], dtype="int64") if len(shape) > 1 else frozen(dtype="int64")
        program = lambda T, x, c: getattr(T.nn.functional, name)(x * 2, c, reduction=reduction)  # noqa: B023, E731
        check_everywhere(program, [trained(*shape, dtype=dtype), classes])
    check_everywhere(
        lambda T, x, c: T.nn.functional.nll_loss(x.transpose(1, 2), c.t(), reduction=reduction),
        [trained(2, 3, 8, dtype=dtype), frozen(3, 2, dtype="int64")],
    )
    for look in (lambda x: x, lambda x: x.t()):
        check_everywhere(
            lambda T, x, y: T.nn.functional.binary_cross_entropy_with_logits(x, look(y), reduction=reduction),  # noqa: B023
            [trained(6, 6, dtype=dtype), frozen(6, 6, dtype=dtype)],
        )


@pytest.mark.parametrize(("p", "training"), [(0.3, True), (0.0, True), (1.0, True), (0.3, False)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_dropout(p, training, dtype):
    for look in (lambda x: x, lambda x: x.t()):
        for wanted in (True, False):
            check_everywhere(
                lambda T, x, c: T.nn.functional.dropout(look(x), p, training) * c,  # noqa: B023
                [Leaf((4, 8), wanted, dtype), trained(1, dtype=dtype)],
            )


@pytest.mark.parametrize("shape", [(4, 8), (4,), (), (1, 3)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_embedding(shape, dtype):
    indices = frozen(*shape, dtype="int64")
    check_everywhere(lambda T, i, w: T.nn.functional.embedding(i, w), [indices, trained(10, 6, dtype=dtype)])
    check_everywhere(
        lambda T, i, w: T.nn.functional.embedding(i, w * 2, 0) * T.nn.functional.embedding(i, w),
        [indices, trained(10, 6, dtype=dtype)],
    )


def test_other_lookups():
    check_everywhere(lambda T, i, w: T.nn.functional.one_hot(i, 10) * w, [frozen(4, 5, dtype="int64"), trained(10)])
    check_everywhere(
        lambda T, i, w: T.nn.functional.embedding(i.t(), w.t()), [frozen(4, 5, dtype="int32"), trained(6, 10)]
    )


C = Dim(8, Formula.symbol("C"))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: T.nn.functional.mse_loss(given((4, C)), given((4, 5))),
            ShapeMismatch,
            "broadcast_tensors: [4, C] and [4, 5] do not fit in dimension 1: C = 8 against 5",
        ),
        (
            lambda: T.nn.functional.cross_entropy(given((4, C)), given((C,), types.int64)),
            ShapeMismatch,
            "cross_entropy: classes [C] for [4, C], which wants [4]: 4 against C = 8",
        ),
        (
            lambda: T.nn.functional.cross_entropy(given((4, C)), given((4, C))),
            UnknownCall,
            "F.cross_entropy is not known to the symbolic world: with class probabilities",
        ),
        (
            lambda: T.nn.functional.one_hot(given((4,), types.int64)),
            UnknownCall,
            "F.one_hot is not known to the symbolic world: without num_classes: it depends on data, and a check has none",
        ),
        (
            lambda: T.nn.functional.embedding(given((4,), types.int64), given((10, 6)), sparse=True),
            UnknownCall,
            "F.embedding is not known to the symbolic world: with max_norm or sparse gradients",
        ),
        (
            lambda: T.nn.functional.dropout(given((4,)), 1.5),
            ValueError,
            "dropout probability has to be between 0 and 1, but got 1.5",
        ),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == message
