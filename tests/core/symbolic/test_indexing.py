"""`x[...]` and `x[...] = y`, in every kind of place."""

from __future__ import annotations

import pytest
from lines import in_checkpoint, in_operator, line
from worlds import check

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tensor import Tensor, given
from tttdit.core.symbolic.world import TORCH as T

READING = (
    ("a[1] * 2", "a 3 4 5"),
    ("a[-1] + a[0]", "a 3 4 5"),
    ("a[:]", "a 3 4 5"),
    ("a[...]", "a 3 4 5"),
    ("(a * 2)[:, :]", "a 3 4 5"),
    ("(a * 2)[()]", "a 3 4 5"),
    ("a[None]", "a 3 4 5"),
    ("a[:, 1:3]", "a 3 4 5"),
    ("a[:, None, 0]", "a 3 4 5"),
    ("a[..., ::2]", "a 3 4 5"),
    ("a[..., -1:]", "a 3 4 5"),
    ("a[:, -4:]", "a 3 4 5"),  # all of it, and a slice all the same
    ("a[..., :-1] * a[..., 1:]", "a 3 4 5"),
    ("a[1::2, ..., None]", "a 7 4 5"),
    ("a[:100, 2:2]", "a 7 4 5"),
    ("T.cat((a[5:2], a))", "a 7 4"),
    ("a.transpose(0, 2)[1, :, None, 1:]", "a 3 4 5"),
    ("T.stack([x * 2 for x in a])", "a 3 4"),
    ("x, y, z = a; x * y + z", "a 3 4"),
)
READING_BY_TENSORS = (
    ("(a * 2)[i] * 3", "a 3 4 5, i 2"),
    ("a[:, i]", "a 3 4 5, i 2"),
    ("a[:, i]", "a 3 4 5, i 2 6"),
    ("a[0, i]", "a 3 4 5, i 2"),
    ("a[i, :, i]", "a 3 4 5, i 2"),
    ("a[i, j]", "a 3 4 5, i 2 1, j 3"),
    ("a[:, i, j]", "a 3 4 5, i 2 1, j 3"),
    ("a[i, j]", "a 3 4, i 2 1, j 3"),
    ("a.t()[i, j]", "a 3 4, i 3, j 3"),
    ("a[i]", "a 3, i 5"),
    ("a[[0, 2]]", "a 3 4 5"),
    ("a[:, [0, 2], 1:]", "a 3 4 5"),
    ("a[:, range(2)]", "a 3 4 5"),
    ("a.transpose(0, 2)[i]", "a 3 4 5, i 2"),
    ("a.transpose(0, 2)[:, i]", "a 3 4 5, i 2"),
    ("a.permute(3, 1, 0, 2)[:, :, i]", "a 3 4 5 2, i 2"),
    ("a.permute(3, 1, 0, 2)[i, :, i]", "a 3 4 5 2, i 2"),
    ("a.permute(3, 1, 0, 2)[:, i]", "a 3 4 5 2, i 2 3"),
    ("a[i.t()]", "a 3 4 5, i 2 3"),
    ("a[:, i.t()]", "a 3 4 5, i 2 3"),
    ("a[:, i.expand(2, 3)]", "a 3 4 5, i 2 1"),
    ("a.expand(3, 4, 5)[:, i]", "a 3 1 5, i 2"),
    ("a.expand(3, 4, 5)[i]", "a 3 1 5, i 2"),
    ("a[:, :, ::2][i]", "a 3 4 6, i 2"),
    ("a.permute(1, 2, 0, 3)[:1, i]", "a 5 1 3 4, i 2 3"),
    ("a[n]", "a 3 4 5, n 2"),
    ("a[i]", "a 3 4 5, i"),
    ("a[:, i]", "a 3 4 5, i"),
    ("a[None, i, ..., 0]", "a 3 4 5, i 2"),
    ("g[i] * a", "g 3 4 5, i 2, a 5"),
    ("h[:, i]", "h 3 4 5, i 2"),
)
WRITING = (
    ("x = a * 2; x[:, :2] = b; x", "a 3 4, b 3 2"),
    ("x = a * 2; x[:, :2] = 0.0; x", "a 3 4"),
    ("x = a * 2; x[1] = 0; x", "a 3 4"),
    ("x = a * 2; x[1] = b; x", "a 3 4, b 4"),
    ("x = a * 2; x[:2] = b; x", "a 3 4, b 4"),
    ("x = a * 2; x[:2] = b; x", "a 3 4, b 1 1 4"),
    ("x = a * 2; x[:, :2] = b; x", "a 3 4, b 3 1"),
    ("x = a * 2; x[:] = b; x", "a 3 4, b 3 4"),
    ("x = a * 2; x[...] = b; x", "a 3 4, b 3 4"),
    ("x = a * 2; x[None] = b; x", "a 3 4, b 1 3 4"),
    ("x = a * 2; x[:, :2] = g; x", "a 3 4, g 3 2"),
    ("x = T.zeros(3, 4); x[:, :2] = b; x", "b 3 2"),
    ("x = a * 2; x[:, :2] = h; x", "a 3 4, h 3 2"),
    ("x = a * 2; x[1] = b; x", "a 3 4, b"),
    ("x = a * 2; x[:, ::2] = b; x[:, 1::2] = b * 2; x", "a 3 6, b 3 3"),
    ("x = (a * 2).t(); x[:3] = b; x", "a 3 6, b 3 3"),
    ("x = T.zeros(4, 3); x[0] = a[0] * 1; x[1] = a[1] * 2; x", "a 4 3"),
    ("x = a * 2; x[:2] += b; x", "a 4 3, b 2 3"),
    ("x = a * 2; x[i] = b; x", "a 3 4, i 2, b 2 4"),
    ("x = a * 2; x[i] = b * 3; x * 2", "a 3 4, i 2, b 2 4"),
    ("x = a * 2; x[:, i] = b; x", "a 3 4, i 2, b 3 2"),
    ("x = a * 2; x[i] = b; x", "a 3 4, i 2, b 4"),
    ("x = a * 2; x[i] = b; x", "a 3 4, i 2, b 1 4"),
    ("x = a * 2; x[i] = 1.0; x", "a 3 4, i 2"),
    ("x = a * 2; x[0, i] = b; x", "a 3 4 2, i 2, b 2 2"),
    ("x = a * 2; x[i] = g; x", "a 3 4, i 2, g 2 4"),
    ("x = g * 2; x[i] = b; x", "g 3 4, i 2, b 2 4"),
    ("x = a * 2; x[g > 1] = 0.0; x", "a 3 4, g 3 4"),
    ("(a * 2).index_put((i,), b * 2)", "a 3 4, i 2, b 2 4"),
    ("a.t().index_put((i,), b * 2)", "a 4 3, i 2, b 2 4"),
    ("(a * 2).index_put((i,), b * 2, accumulate=True)", "a 3 4, i 2, b 4"),
    ("(a * 2).index_put((i,), g)", "a 3 4, i 2, g 2 4"),
)
PROGRAMS = (*READING, *READING_BY_TENSORS, *WRITING)


@pytest.mark.parametrize(("text", "tensors"), PROGRAMS)
def test_both_worlds_agree(text, tensors):
    check(*line(text, tensors))


@pytest.mark.parametrize(("text", "tensors"), PROGRAMS)
def test_both_worlds_agree_where_it_is_recomputed(text, tensors):
    program, leaves = line(text, tensors)
    check(in_checkpoint(program), leaves)


@pytest.mark.parametrize(("text", "tensors"), PROGRAMS)
def test_both_worlds_agree_inside_an_operator(text, tensors):
    check(*in_operator(*line(text, tensors)))


B, L, t = (Dim(value, Formula.symbol(name)) for name, value in (("B", 2), ("L", 12), ("T", 5)))


def x() -> Tensor:
    return given((B, L, 8))


@pytest.mark.parametrize(
    ("found", "shape"),
    [
        (x()[:, :t], "[B, T, 8]"),
        (x()[:, t:], "[B, L - T, 8]"),
        (x()[:, -t:], "[B, T, 8]"),
        (x()[:, t:-1], "[B, L - T - 1, 8]"),
        (x()[:, ::2], "[B, L/2, 8]"),
        (x()[:, :12], "[B, L, 8]"),
        (x()[:, [0, 3, 5]], "[B, 3, 8]"),
        (x()[..., None], "[B, L, 8, 1]"),
    ],
)
def test_slices_keep_formulas(found, shape):
    from tttdit.core.symbolic.raw import shape_text

    assert shape_text(found.shape) == shape


def integers(*shape: int) -> Tensor:
    return given(shape, types.int64)


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (5, ShapeMismatch, "index 5 is outside dimension 0 of [B, L, 8]"),
        ((0, 0, 0, 0), ShapeMismatch, "4 indices for a tensor of 3 dimensions [B, L, 8]"),
        ((slice(None), [0, 12]), ShapeMismatch, "index 12 is outside dimension 1 of [B, L, 8], L = 12"),
        (
            (integers(2), integers(3)),
            ShapeMismatch,
            "indexing: [2] and [3] do not fit in dimension 0: 2 against 3",
        ),
        (
            given((2,)),
            SymbolicError,
            "tensors used as indices must be int64, int32, bool or uint8 tensors, not float32",
        ),
        (
            given((B, L), types.bool_),
            UnknownCall,
            "indexing with a mask is not known to the symbolic world: the result has as many elements as the mask has True, and a "
            "check has no data",
        ),
        (True, UnknownCall, "indexing with True or False is not known to the symbolic world"),
        (
            [[0, 1]],
            UnknownCall,
            "indexing with a list of lists is not known to the symbolic world: what torch makes of it depends on its version; write a "
            "tuple or a tensor",
        ),
        ("video", UnknownCall, "indexing with a str is not known to the symbolic world"),
        (
            slice(None, integers()),
            UnknownCall,
            "a slice with a tensor as a bound is not known to the symbolic world: its length depends on data",
        ),
        (slice(None, None, -1), ValueError, "step must be greater than zero"),
        (slice(0.5, None), TypeError, "slice indices must be integers or None, not float"),
        ((..., ...), IndexError, "an index can only have a single ellipsis ('...')"),
    ],
)
def test_what_cannot_be_read_says_why(index, error, message):
    with pytest.raises(error) as caught:
        x()[index]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("index", "value", "error", "message"),
    [
        (
            (slice(None), slice(0, 4)),
            given((3, 1, 8)),
            ShapeMismatch,
            "assignment: [3, 1, 8] does not fit into [B, 4, 8]: 3 against B = 2",
        ),
        (
            (slice(None), integers(4)),
            given((B, L, 8)),
            ShapeMismatch,
            "assignment through indices: [B, L, 8] does not fit into [B, 4, 8]: L = 12 against 4",
        ),
        (
            given((B, L), types.bool_),
            given((8,)),
            UnknownCall,
            "assignment through a mask is not known to the symbolic world: of more than one number: how many fit is data",
        ),
        (
            integers(1),
            given((8,), types.bfloat16),
            SymbolicError,
            "index_put: the values are bfloat16, the tensor float32; they must be of one type",
        ),
        (0, [1.0], UnknownCall, "Tensor.__setitem__ is not known to the symbolic world: with a list"),
    ],
)
def test_what_cannot_be_written_says_why(index, value, error, message):
    target = x()
    with pytest.raises(error) as caught:
        target[index] = value
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x.item(),
        lambda x: x.tolist(),
        lambda x: x.numpy(),
        float,
        int,
        range,
        lambda x: T.allclose(x, x),
    ],
)
def test_numbers_are_not_there_to_be_read(ask):
    with pytest.raises(UnknownCall, match="it reads a tensor's numbers, and a check has none"):
        ask(given(()))


@pytest.mark.parametrize("name", ["nonzero", "masked_select", "unique", "bincount"])
def test_sizes_that_are_data_have_no_answer(name):
    with pytest.raises(UnknownCall, match="the size of its result depends on data, and a check has none"):
        getattr(x(), name)()
