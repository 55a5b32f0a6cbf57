"""Reading and writing along one dimension at given indices."""

from __future__ import annotations

import pytest
from lines import in_checkpoint, in_operator, line
from worlds import check

from tttdit.core.errors import ShapeMismatch, SymbolicError
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tensor import given

PROGRAMS = (
    ("a.index_select(0, i)", "a 3 4 5, i 2"),
    ("(a * 2).transpose(0, 2).index_select(1, i) * 3", "a 5 4 3, i 2"),
    ("T.index_select(h, -1, i)", "h 5 4 3, i 2"),
    ("T.index_select(a, -1, n)", "a 5 4 3, n 2"),
    ("(a * 2).index_add(0, i, b * 2)", "a 3 4, i 2, b 2 4"),
    ("a.t().index_add(0, i, b, alpha=2)", "a 4 3, i 2, b 2 4"),
    ("(a * 2).index_add(0, i, g)", "a 3 4, i 2, g 2 4"),
    ("g.index_add(0, i, b * 2)", "g 3 4, i 2, b 2 4"),
    ("(a * 2).index_copy(0, i, b * 2)", "a 3 4, i 2, b 2 4"),
    ("a.t().index_copy(0, i, b.t())", "a 4 3, i 2, b 4 2"),
    ("(a * 2).index_copy(0, i, g)", "a 3 4, i 2, g 2 4"),
    ("g.index_copy(0, i, b * 2)", "g 3 4, i 2, b 2 4"),
    ("a.t().index_fill(0, i, 1.0)", "a 4 3, i 2"),
    ("(a * 2).t().gather(0, i)", "a 4 3, i 2 4"),
    ("(a * 2).gather(1, i) * a[:, :2]", "a 4 3, i 4 2"),
    ("(a * 2).scatter(0, i, b * 2)", "a 3 4, i 2 4, b 2 4"),
    ("a.t().scatter(0, i, b)", "a 4 3, i 2 4, b 2 4"),
    ("(a * 2).scatter(0, i, g)", "a 3 4, i 2 4, g 2 4"),
    ("(a * 2).scatter(0, i, g)", "a 3 4, i 2 4, g 3 5"),
    ("a.scatter(0, i, 1.0)", "a 3 4, i 2 4"),
    ("a.scatter(0, i, value=1.0)", "a 3 4, i 2 4"),
    ("(a * 2).scatter_add(0, i, b * 2)", "a 3 4, i 2 4, b 2 4"),
    ("(a * 2).scatter_add(0, i, g)", "a 3 4, i 2 4, g 2 4"),
    ("g.scatter_add(0, i, b * 2)", "g 3 4, i 2 4, b 2 4"),
    ("(a * 2).take_along_dim(i, 1)", "a 3 4, i 3 1"),
    ("T.take_along_dim(a, i, dim=1)", "a 3 4, i 1 2"),
    ("T.take_along_dim(a * 2, i, dim=1)", "a 1 4, i 3 2"),
    ("T.take_along_dim(a * 2, i)", "a 3 4, i 5"),
)


@pytest.mark.parametrize(("text", "tensors"), PROGRAMS)
def test_both_worlds_agree(text, tensors):
    program, leaves = line(text, tensors)
    check(program, leaves)
    check(in_checkpoint(program), leaves)
    check(*in_operator(program, leaves))


B, L = Dim(2, Formula.symbol("B")), Dim(12, Formula.symbol("L"))
X = given((B, L, 8))


def integers(*shape: int):
    return given(shape, types.int64)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: X.index_select(1, given((4,))),
            SymbolicError,
            "index_select: an index of float32; it must be int64 or int32",
        ),
        (
            lambda: X.index_select(1, integers(4, 4)),
            ShapeMismatch,
            "index_select: the index [4, 4] should have 0 or 1 dimensions",
        ),
        (
            lambda: X.index_add(1, integers(4), X),
            ShapeMismatch,
            "index_add along dimension 1: the source [B, L, 8] should be [B, 4, 8]: dimension 1 is L = 12 against 4",
        ),
        (
            lambda: X.index_add(1, integers(4), given((B, 4, 8), types.bfloat16)),
            SymbolicError,
            "index_add: the source is bfloat16, the tensor float32",
        ),
        (lambda: X.gather(1, integers(4)), ShapeMismatch, "gather: the index [4] should have 3 dimensions"),
        (
            lambda: X.gather(1, integers(2, 40, 9)),
            ShapeMismatch,
            "gather: the index [2, 40, 9] reaches beyond [B, L, 8] in dimension 2: 9 against 8",
        ),
        (
            lambda: X.scatter(1, integers(2, 4, 8), given((B, 3, 8))),
            ShapeMismatch,
            "scatter: the index [2, 4, 8] reaches beyond [B, 3, 8] in dimension 1: 4 against 3",
        ),
        (
            lambda: X.scatter(1, integers(2, 4, 8), given((B, L, 8), requires_grad=True)),
            SymbolicError,
            "scatter: the values [B, L, 8] want a gradient, which torch makes in the index's shape [2, 4, 8]",
        ),
        (
            lambda: X.take_along_dim(integers(2, 4), 1),
            ShapeMismatch,
            "take_along_dim: [B, L, 8] has 3 dimensions, the indices [2, 4] have 2",
        ),
    ],
)
def test_what_does_not_fit_says_why(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
