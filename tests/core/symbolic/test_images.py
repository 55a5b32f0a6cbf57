"""Images and videos in other sizes."""

from __future__ import annotations

import pytest
from lines import in_checkpoint, in_operator, line
from worlds import check

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.raw import shape_text
from tttdit.core.symbolic.tensor import Tensor, given
from tttdit.core.symbolic.world import TORCH as T

SHUFFLES = (
    ("F.pixel_shuffle(a * 2, 2)", "a 2 8 3 4"),
    ("F.pixel_shuffle(a.permute(0, 3, 1, 2), 2)", "a 2 3 4 8"),
    ("F.pixel_shuffle(a.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)", "a 2 3 4 8"),
    ("F.pixel_shuffle(a, 2)", "a 2 3 8 3 4"),
    ("F.pixel_shuffle(a, 2)", "a 8 3 4"),
    ("F.pixel_unshuffle(a, 2)", "a 2 2 6 4"),
    ("F.pixel_unshuffle(a.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)", "a 2 6 4 3"),
    ("T.nn.PixelUnshuffle(2)(T.nn.PixelShuffle(2)(a * 2))", "a 1 4 4 5"),
)
LAYERS = (
    ("T.nn.UpsamplingNearest2d(scale_factor=2)(T.nn.Upsample(scale_factor=2)(a * 2))", "a 1 4 4 5"),
    ("T.nn.ConstantPad2d(1, 2.0)(T.nn.ZeroPad2d((1, 0, 1, 2))(a * 2))", "a 1 4 4 5"),
    ("T.nn.ConstantPad3d((0, 0, 0, 0, 2, 0), 1.0)(a)", "a 1 2 3 4 5"),
    ("F.interpolate(a.permute(0, 2, 3, 1), size=(6, 8))", "a 2 2 3 4"),
    ("F.interpolate(a, scale_factor=(1, 2, 2))", "a 2 2 3 4 4"),
    ("F.interpolate(a, scale_factor=0.5)", "a 2 2 5 7"),
    ("F.interpolate(a, scale_factor=1.5)", "a 2 2 5 7"),
    ("F.interpolate(a, size=6)", "a 2 2 3"),
)
# How an image or a video comes in and goes out: as it is, or with its channels last.
WAYS = {
    1: ("{f}(a, {m})", "{f}(a.transpose(1, 2), {m}).transpose(1, 2)"),
    2: (
        "{f}(a, {m})",
        "{f}(a.permute(0, 3, 1, 2), {m})",
        "{f}(a.permute(0, 3, 1, 2), {m}).permute(0, 2, 3, 1)",
        "{f}(a, {m}).permute(0, 2, 3, 1)",
    ),
    3: (
        "{f}(a, {m})",
        "{f}(a.permute(0, 4, 1, 2, 3), {m})",
        "{f}(a.permute(0, 4, 1, 2, 3), {m}).permute(0, 2, 3, 4, 1)",
        "{f}(a.permute(0, 1, 3, 4, 2), {m})",
    ),
}
MODES = {
    1: ("nearest", "nearest-exact", "linear"),
    2: ("nearest", "nearest-exact", "bilinear", "bicubic"),
    3: ("nearest", "nearest-exact", "trilinear"),
}
SHAPES = {1: ("a 2 3 4",), 2: ("a 2 3 4 5", "a 2 4 4 1", "h 2 3 4 5"), 3: ("a 2 3 4 5 2",)}
RESIZED = tuple(
    (way.format(f="F.interpolate", m=f'scale_factor=2, mode="{mode}"').replace("(a", f"({shape[0]}"), shape)
    for dims, ways in WAYS.items()
    for mode in MODES[dims]
    for way in ways
    for shape in SHAPES[dims]
)


@pytest.mark.parametrize(("text", "tensors"), [*SHUFFLES, *LAYERS, *RESIZED])
def test_both_worlds_agree(text, tensors):
    check(*line(text, tensors))


@pytest.mark.parametrize(("text", "tensors"), [*SHUFFLES, *LAYERS])
def test_both_worlds_agree_where_it_is_recomputed_and_inside_an_operator(text, tensors):
    program, leaves = line(text, tensors)
    check(in_checkpoint(program), leaves)
    check(*in_operator(program, leaves))


B, H, W = (Dim(value, Formula.symbol(name)) for name, value in (("B", 2), ("H", 6), ("W", 10)))
F = T.nn.functional


def image() -> Tensor:
    return given((B, 8, H, W))


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (lambda: F.pixel_shuffle(image(), 2), "[B, 2, 2*H, 2*W]"),
        (lambda: F.pixel_unshuffle(image(), 2), "[B, 32, H/2, W/2]"),
        (lambda: F.interpolate(image(), scale_factor=2), "[B, 8, 2*H, 2*W]"),
        (lambda: F.interpolate(image(), scale_factor=0.5), "[B, 8, H/2, W/2]"),
        (lambda: F.interpolate(image(), scale_factor=1.5), "[B, 8, 3*H/2, 3*W/2]"),
        (lambda: F.interpolate(image(), size=(W, H)), "[B, 8, W, H]"),
    ],
)
def test_formulas_go_through(made, shape):
    assert shape_text(made().shape) == shape


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.pixel_shuffle(image(), 3),
            ShapeMismatch,
            "pixel_shuffle: dimension -3 of [B, 8, H, W], 8, is not divisible by 9",
        ),
        (
            lambda: F.pixel_unshuffle(image(), 4),
            ShapeMismatch,
            "pixel_unshuffle: dimension -2 of [B, 8, H, W], H = 6, is not divisible by 4",
        ),
        (
            lambda: F.pixel_shuffle(given((2, 8, 4, 5, 3)).permute(0, 4, 1, 2, 3), 2),
            SymbolicError,
            "pixel_shuffle: [2, 3, 8, 4, 5] with strides (480, 1, 60, 15, 3): torch takes no video with channels last",
        ),
        (
            lambda: F.interpolate(image(), scale_factor=2, mode="area"),
            UnknownCall,
            'F.interpolate is not known to the symbolic world: with mode = "area" on 4 dimensions',
        ),
        (
            lambda: F.interpolate(image(), scale_factor=1.2345),
            UnknownCall,
            "F.interpolate is not known to the symbolic world: with scale_factor = 1.2345: the new size has no formula; give the size",
        ),
        (
            lambda: F.interpolate(image(), size=(1, 2, 3)),
            ShapeMismatch,
            "interpolate: 3 sizes for the 2 dimensions behind the channels of [B, 8, H, W]",
        ),
    ],
)
def test_what_does_not_fit_says_why(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
