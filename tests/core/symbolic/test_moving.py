"""Elements in another order, repeated, joined and cut apart."""

from __future__ import annotations

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

REPEATING = (
    ("a.repeat(2, 1, 3)", "a 3 4"),
    ("(a * 2).t().repeat(2, 3) * 2", "a 3 4"),
    ("a.repeat((1, 2))", "a 3 4"),
    ("a.repeat(1, 1)", "a 3 4"),
    ("a.repeat(2, 3, 1, 1)", "a 3 4"),
    ("a.repeat(1, 1, 4)", "a 3 1"),
    ("a.tile(2)", "a 3 4"),
    ("T.tile(a, (2, 1, 3))", "a 3 4"),
    ("a.repeat_interleave(2, 0)", "a 3 4"),
    ("a.t().repeat_interleave(2, dim=-1)", "a 3 4"),
    ("T.repeat_interleave(a.t(), 2)", "a 3 4"),
    ("T.repeat_interleave(a, 1, 0)", "a 3 4"),
    ("T.repeat_interleave(a, 3)", "a 3"),
    ("a.broadcast_to(3, 4)", "a 1 4"),
    ("T.broadcast_to(a, (3, 4))", "a 1 4"),
    ("x, y = T.broadcast_tensors(a, b); x * y", "a 1 4, b 3 1"),
    ("x, y = T.broadcast_tensors(a, b); x * y", "a 3 4, b 3 1"),
    ("a.expand_as(b.expand(3, 4))", "a 1 4, b 3 1"),
    ("F.pad(a, (1, 2))", "a 3 4"),
    ("F.pad(a.t(), (1, 2, 0, 1), value=1.0)", "a 3 4"),
    ("F.pad(a, (0, 0))", "a 3 4"),
    ("F.pad(a.t(), (0, 0))", "a 3 4"),
    ("F.pad(a, (-1, 2))", "a 3 4"),
    ("F.pad(a.t(), (-1, 0, -1, -1))", "a 3 4"),
    ("F.pad(a.permute(0, 3, 1, 2), (1, 1, 0, 1))", "a 2 3 4 5"),
    ("F.pad((a * 2).permute(0, 3, 1, 2), (1, 1, 0, 1)).permute(0, 2, 3, 1)", "a 2 3 4 5"),
    ("F.pad(a.permute(0, 4, 1, 2, 3), (0, 0, 0, 0, 2, 0))", "a 2 2 3 4 5"),
    ("F.pad(a.permute(0, 3, 1, 2), (-1, -1))", "a 2 3 4 5"),
)
MOVING = (
    ("(a * 2).t().flip(1)", "a 3 4"),
    ("a.flip(0, 1)", "a 3 4"),
    ("a[:, :, ::2].permute(2, 0, 1).flip((0,))", "a 3 4 6"),
    ("a.expand(3, 4, 6).flip(1)", "a 3 1 6"),
    ("T.fliplr(a).flipud()", "a 3 4"),
    ("a.t().roll(1, 0)", "a 3 4"),
    ("a.roll((1, 2), (0, 1))", "a 3 4"),
    ("a.t().roll(1)", "a 3 4"),
    ("T.roll(a, shifts=(-2, -2), dims=(1, 2))", "a 2 8 8 3"),
    ("a.permute(0, 3, 1, 2).roll(3, 3)", "a 2 3 4 5"),
    ("a.movedim(0, 2)", "a 3 4 5"),
    ("T.moveaxis(a, (0, 1), (-1, -2))", "a 3 4 5 6"),
    ("a.movedim(1, 1)", "a 3 4 5"),
    ("a.swapdims(1, 2)", "a 3 4 5"),
    ("a.squeeze()", "a 3 1 5"),
    ("a.squeeze(1)", "a 3 1 5"),
    ("a.squeeze(0)", "a 3 1 5"),
    ("a.squeeze((0, 1))", "a 3 1 5 1"),
    ("(a * 2).unfold(1, 4, 2)", "a 3 8"),
    ("a.transpose(0, 1).unfold(1, 3, 2)", "a 8 3 2"),
    ("a.view_as(b) * b", "a 3 4, b 4 3"),
    ("a.t().reshape_as(a)", "a 3 4"),
    ("(a * 2).t().tril()", "a 3 4"),
    ("T.triu(a, 1)", "a 2 3 4"),
    ("g.as_strided((2, 2), (1, 4), 1) * a", "g 3 4, a 2"),
    ("T.nn.Unflatten(1, (4, 5))(T.nn.Flatten()(a * 2))", "a 3 4 5"),
    ("(a * 2).unsqueeze_(1) * 3", "a 3 4"),
    ("(a * 2).sigmoid().clone().unsqueeze_(-1).tanh()", "a 3 4"),
    ("(a * 2).squeeze_(1).squeeze_() * 3", "a 3 1 4 1"),
    ("(a * 2).transpose_(0, 1) * 3", "a 3 4"),
    ("(a * 2).t_().contiguous()", "a 3 4"),
    ("g[0].unsqueeze_(1) * a", "a 4, g 2 3 4"),
)
JOINING = (
    ("T.hstack((a, b))", "a 3 4, b 3 2"),
    ("T.hstack((a, b))", "a 3, b 2"),
    ("T.hstack((a, b))", "a, b"),
    ("T.vstack((a, b))", "a 4, b 4"),
    ("T.vstack((a, b))", "a 4, b 2 4"),
    ("T.vstack((a, b))", "a, b"),
    ("T.dstack((a, b))", "a 4, b 4"),
    ("T.dstack((a, b))", "a 4 3, b 4 3"),
    ("T.cat((a.permute(0, 3, 1, 2), a.permute(0, 3, 1, 2)), 1)", "a 2 3 4 5"),
    ("T.cat((a.permute(0, 3, 1, 2), b), 1)", "a 2 3 4 5, b 2 5 3 4"),
    ("T.cat((a.permute(0, 3, 1, 2), a.permute(0, 3, 1, 2)), 2).permute(0, 2, 3, 1)", "a 2 3 4 5"),
    ("T.cat((a.permute(0, 4, 1, 2, 3), a.permute(0, 4, 1, 2, 3)), 1)", "a 2 3 4 5 6"),
    ("T.cat((a.permute(0, 3, 1, 2), a.permute(0, 3, 1, 2)), 2)", "a 2 3 1 5"),
    ("T.cat((a.permute(0, 3, 1, 2), a.permute(0, 3, 1, 2)), 1)", "a 1 3 4 1"),
    ("T.cat((a[..., :4].permute(0, 3, 1, 2), a[..., 4:].permute(0, 3, 1, 2)), 1)", "a 2 3 4 8"),
    ("T.cat((a.expand(2, 3, 4, 5).permute(0, 3, 1, 2),) * 2, 1)", "a 2 3 4 1"),
    ("T.cat((g, a * 2, g), 1)", "a 3 4, g 3 4"),
    ("T.cat((a, h))", "a 3 4, h 3 4"),
    ("T.cat((a,))", "a 3 4"),
    ("T.stack((a.permute(2, 0, 1), a.permute(2, 0, 1)), 0)", "a 2 3 4"),
    ("T.stack((a.permute(1, 2, 0), a.permute(1, 2, 0)), 3)", "a 3 4 5"),
    ("T.stack((a.permute(0, 3, 1, 2), b.permute(0, 3, 1, 2)), 1) * 2", "a 2 3 4 5, b 2 3 4 5"),
    ("T.stack((a.permute(0, 3, 1, 2), b.permute(0, 3, 1, 2)), 4) * 2", "a 2 3 4 5, b 2 3 4 5"),
    ("T.stack((a * 2, g), 1)", "a 3 4, g 3 4"),
    ("T.stack((a * 2, h), 1)", "a 3 4, h 3 4"),
    ("a.tensor_split(3)[0]", "a 7 4"),
    ("a.tensor_split((2, 5))[1]", "a 7 4"),
    ("a.tensor_split((2, -1, 9), 0)[1]", "a 7 4"),
    ("x, y = a.hsplit(2); x * y", "a 7 4"),
    ("x, y = T.vsplit(a, 2); x * y", "a 6 4"),
    ("x, y = T.dsplit(a, 2); x * y", "a 6 4 2"),
    ('x, y = T.meshgrid(a, b, indexing="ij"); x * y', "a 3, b 4"),
    ('x, y, z = T.meshgrid([a, b, c], indexing="ij"); x * y + z', "a 3, b 4, c 2"),
    ('x, y = T.meshgrid(a, b, indexing="xy"); x * y', "a 3, b 4"),
    ('x, y, z = T.meshgrid([a, b, c], indexing="xy"); x * y + z', "a 3, b 4, c 2"),
    ('x, y = T.meshgrid(a[:, 0], b, indexing="xy"); x * y', "a 3 2, b 4"),
    ("T.cartesian_prod(a, b)", "a 3, b 4"),
)
# What comes up in video transformers.
IDIOMS = (
    ("T.cat((a[..., :4] * g - a[..., 4:] * g, a[..., 4:] * g + a[..., :4] * g), -1)", "a 2 3 8, g 3 4"),
    ("T.stack((a[..., ::2] * g - a[..., 1::2] * g, a[..., 1::2] * g + a[..., ::2] * g), -1).flatten(-2)", "a 2 3 8, g 3 4"),
    ("a * g + T.cat((-a[..., 4:], a[..., :4]), -1) * g", "a 2 3 8, g 3 8"),
    ("s, t = a.chunk(2, 1); b * (1 + s[:, None]) + t.unsqueeze(1)", "a 2 8, b 2 3 4"),
    ("a.reshape(2, 3, 4, 2, 2, 4).permute(0, 5, 1, 3, 2, 4).reshape(2, 4, 6, 8)", "a 2 12 16"),
    ("a + T.arange(6)[None, :, None]", "a 2 6 4"),
    ("f = T.exp(-9.2 * T.arange(0, 4, dtype=T.float32) / 4); w = g[:, None] * f[None]; T.cat([w.cos(), w.sin()], -1) * a", "a 8, g 2"),
    ("T.cat((b.expand(a.shape[0], -1, -1), a), 1)[:, 1:]", "a 2 5 4, b 1 1 4"),
    ("T.cat((a[:, :, :1].repeat(1, 1, 2, 1, 1), a), 2)", "a 1 3 4 5 5"),
    ("T.cat([a[:, :, :1]] * 2 + [a], 2)", "a 1 3 4 5 5"),
    ("a.view(2, 2, 4, 2, 4, 3).permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, 16, 3)", "a 2 8 8 3"),
)  # fmt: skip
PROGRAMS = (*REPEATING, *MOVING, *JOINING, *IDIOMS)


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
F = T.nn.functional


def x() -> Tensor:
    return given((B, L, 8))


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (lambda: x().repeat(1, t, 1), "[B, L*T, 8]"),
        (lambda: x().tile(t), "[B, L, 8*T]"),
        (lambda: x().repeat_interleave(t, 1), "[B, L*T, 8]"),
        (lambda: F.pad(x(), (0, 1, t, 0)), "[B, L + T, 9]"),
        (lambda: x().unfold(1, t, 7), "[B, L/7 - T/7 + 1, 8, T]"),
        (lambda: x().tensor_split(3, 1)[0], "[B, L/3, 8]"),
        (lambda: x().tensor_split([t], 1)[1], "[B, L - T, 8]"),
        (lambda: T.hstack((x(), x())), "[B, 2*L, 8]"),
        (lambda: T.meshgrid(T.arange(L), T.arange(t), indexing="xy")[0], "[T, L]"),
        (lambda: T.cartesian_prod(T.arange(L), T.arange(t)), "[L*T, 2]"),
        (lambda: x().movedim(1, 0), "[L, B, 8]"),
        (lambda: T.zeros(T.broadcast_shapes((B, 1), (L,))), "[B, L]"),
    ],
)
def test_formulas_go_through(made, shape):
    assert shape_text(made().shape) == shape


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: x().repeat(2), ShapeMismatch, "repeat: [2] has fewer numbers than [B, L, 8] has dimensions"),
        (
            lambda: x().repeat_interleave(given((L,), types.int64), 1),
            UnknownCall,
            "torch.repeat_interleave is not known to the symbolic world: with a tensor of counts: the length of its result depends on data",
        ),
        (lambda: F.pad(x(), (0, 1, 2)), ShapeMismatch, "pad: 3 widths [0, 1, 2] for [B, L, 8]"),
        (
            lambda: F.pad(x(), (0, 0, -9, -9)),
            ShapeMismatch,
            "pad: dimension 1 of [B, L, 8], L = 12, would become L - 18 = -6",
        ),
        (
            lambda: F.pad(x(), (1, 1), mode="reflect"),
            UnknownCall,
            'F.pad is not known to the symbolic world: with mode = "reflect"; "constant" is known',
        ),
        (
            lambda: x().unfold(1, 13, 2),
            ShapeMismatch,
            "unfold: windows of 13 in dimension 1 of [B, L, 8], which is L = 12",
        ),
        (lambda: x().movedim((0, 0), (1, 2)), SymbolicError, "movedim: (0, 0) cannot be moved to (1, 2)"),
        (lambda: x().movedim(0, 5), IndexError, "dimension 5 of a tensor of 3 dimensions [B, L, 8]"),
        (lambda: x().flip(0, 0), SymbolicError, "flip: a dimension appears twice in (0, 0)"),
        (lambda: x().roll((1, 2), 0), SymbolicError, "roll: 2 shifts for 1 dimensions"),
        (
            lambda: T.cat((x(), x()[:, 1:])),
            ShapeMismatch,
            "cat along dimension 0: [B, L, 8] and [B, L - 1, 8] do not fit in dimension 1: L = 12 against L - 1 = 11",
        ),
        (
            lambda: T.stack((x(), x()[:, 1:])),
            ShapeMismatch,
            "stack: [B, L, 8] and [B, L - 1, 8] are not of one shape",
        ),
        (
            lambda: T.hsplit(x(), 5),
            ShapeMismatch,
            "hsplit: dimension 1 of [B, L, 8], L = 12, is not divisible by 5",
        ),
        (
            lambda: x().expand_as(given((B, L - 1, 8))),
            ShapeMismatch,
            "expand: [B, L, 8] to [B, L - 1, 8]: L = 12 against L - 1 = 11",
        ),
        (lambda: T.meshgrid(x()), ShapeMismatch, "meshgrid: [B, L, 8] has more than one dimension"),
        (
            lambda: x().requires_grad_().as_strided((2,), (1,)),
            UnknownCall,
            "torch.as_strided is not known to the symbolic world: with a gradient",
        ),
        (
            lambda: x().view(T.int32),
            UnknownCall,
            "Tensor.view is not known to the symbolic world: with a data type: what the bytes mean then is not followed",
        ),
        (
            lambda: T.view_as_complex(x()),
            UnknownCall,
            "torch.view_as_complex is not known to the symbolic world: complex numbers are not known; write a rotation with cos and sin",
        ),
        (
            lambda: (x().requires_grad_() * 2)[0].unsqueeze_(0),
            UnknownCall,
            "Tensor.unsqueeze_ is not known to the symbolic world: of a view with a gradient; use the operator that is not in place",
        ),
    ],
)
def test_what_does_not_fit_says_why(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
