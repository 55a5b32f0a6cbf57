"""Images and videos [N, C, ...] in other sizes: pixel shuffles and interpolation. Where channels lie last they stay last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.views import viewing
from tttdit.core.symbolic.raw import composite, dim_text, shape_text
from tttdit.core.symbolic.strides import Shape, contiguous_strides, suggested_strides
from tttdit.core.symbolic.tensor import Tensor

# aten's operators, by F.interpolate's mode and the number of dimensions that change.
KERNELS = {
    ("nearest", 1): "upsample_nearest1d",
    ("nearest", 2): "upsample_nearest2d",
    ("nearest", 3): "upsample_nearest3d",
    ("nearest-exact", 1): "_upsample_nearest_exact1d",
    ("nearest-exact", 2): "_upsample_nearest_exact2d",
    ("nearest-exact", 3): "_upsample_nearest_exact3d",
    ("linear", 1): "upsample_linear1d",
    ("bilinear", 2): "upsample_bilinear2d",
    ("trilinear", 3): "upsample_trilinear3d",
    ("bicubic", 2): "upsample_bicubic2d",
}
# Those whose gradient lies row by row, even where the channels of what came in lie last.
CONTIGUOUS_BACKWARD = frozenset({"upsample_nearest3d", "_upsample_nearest_exact3d", "upsample_bicubic2d"})


@known("F.pixel_shuffle", "torch.pixel_shuffle")
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """[..., C r r, H, W] -> [..., C, r H, r W]: a copy."""
    factor = upscale_factor
    return _shuffled("pixel_shuffle", input, _spread_out, lambda gradient: _gathered_in(gradient, factor), factor)


@known("F.pixel_unshuffle", "torch.pixel_unshuffle")
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """[..., C, r H, r W] -> [..., C r r, H, W]: a copy."""
    factor = downscale_factor
    return _shuffled("pixel_unshuffle", input, _gathered_in, lambda gradient: _spread_out(gradient, factor), factor)


def _shuffled(
    name: str, input: Tensor, make: Callable[[Tensor, int], Tensor], back: Callable[[Tensor], Tensor], factor: int
) -> Tensor:
    if input.ndim < 3:
        raise ShapeMismatch(f"{name}: {shape_text(input.shape)} has no channels, rows and columns")
    return viewing(name, input, make(input, factor), back)


def _spread_out(input: Tensor, factor: int) -> Tensor:
    *lead, channels, rows, columns = input.shape
    _divides("pixel_shuffle", input, -3, channels, factor * factor)
    shape = (*lead, channels // (factor * factor), rows * factor, columns * factor)
    return _moved("pixel_shuffle", input, shape)


def _gathered_in(input: Tensor, factor: int) -> Tensor:
    *lead, channels, rows, columns = input.shape
    _divides("pixel_unshuffle", input, -2, rows, factor)
    _divides("pixel_unshuffle", input, -1, columns, factor)
    shape = (*lead, channels * factor * factor, rows // factor, columns // factor)
    return _moved("pixel_unshuffle", input, shape)


def _moved(name: str, input: Tensor, shape: Shape) -> Tensor:
    if input.ndim == 5 and suggested_strides(input.shape, [input]) != contiguous_strides(input.shape):
        raise SymbolicError(
            f"{name}: {shape_text(input.shape)} with strides {input.strides}: torch takes no video with channels last"
        )
    return _following(name, input, shape)


def _divides(call: str, input: Tensor, dim: int, size: int, by: int) -> None:
    if int(size) % int(by):
        raise ShapeMismatch(
            f"{call}: dimension {dim} of {shape_text(input.shape)}, {dim_text(size)}, is not divisible by {dim_text(by)}",
            size,
            by,
        )


@known("F.interpolate")
@composite("interpolate")
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """[N, C, ...] with other sizes behind; keeps nothing."""
    dims = input.ndim - 2
    kernel = KERNELS.get((mode, dims))
    if kernel is None or antialias:
        raise UnknownCall(
            "F.interpolate", f'with mode = "{mode}"{" and antialias" * antialias} on {input.ndim} dimensions'
        )
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: either size or scale_factor should be defined")
    if size is not None:
        wanted: Sequence[int] = (size,) * dims if isinstance(size, int) else tuple(size)
    else:
        factors = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * dims
        wanted = [_scaled(length, factor) for length, factor in zip(input.shape[2:], factors, strict=False)]
    if len(wanted) != dims:
        raise ShapeMismatch(
            f"interpolate: {len(wanted)} sizes for the {dims} dimensions behind the channels of {shape_text(input.shape)}"
        )
    old = input.shape
    shape = (*old[:2], *wanted)

    def back(gradient: Tensor) -> Tensor:
        if kernel in CONTIGUOUS_BACKWARD:
            return raw.new(f"{kernel}_backward", old, gradient.dtype)
        return _following(f"{kernel}_backward", gradient, old)

    return viewing(kernel, input, _following(kernel, input, shape), back)


def _following(name: str, input: Tensor, shape: Shape) -> Tensor:
    """A fresh result whose channels lie last if the input's do."""
    return raw.dispatched(name, raw.empty(shape, input.dtype, suggested_strides(shape, [input])))


def _scaled(length: int, factor: float) -> int:
    """floor(length * factor), with a formula where the factor is a fraction of small numbers."""
    value = int(float(int(length)) * factor)
    if not isinstance(length, Dim):
        return value
    fraction = Fraction(factor).limit_denominator(64)
    product = length * fraction.numerator
    size: int = (product - product % fraction.denominator) // fraction.denominator
    if float(fraction) != factor or int(size) != value:
        raise UnknownCall("F.interpolate", f"with scale_factor = {factor}: the new size has no formula; give the size")
    return size
