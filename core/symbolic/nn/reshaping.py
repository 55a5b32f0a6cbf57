"""`torch.nn`'s layers that only move, pad or resize."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.symbolic.nn.module import Module
from tttdit.core.symbolic.ops.images import interpolate, pixel_shuffle, pixel_unshuffle
from tttdit.core.symbolic.ops.repeating import pad
from tttdit.core.symbolic.ops.views import flatten, unflatten
from tttdit.core.symbolic.tensor import Tensor


class Flatten(Module):
    """Dimensions start ... end as one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """A view, or a copy where the layout asks for one."""
        return flatten(input, self.start_dim, self.end_dim)


class Unflatten(Module):
    """One dimension as several."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """A view."""
        return unflatten(input, self.dim, self.unflattened_size)


class PixelShuffle(Module):
    """[..., C r r, H, W] -> [..., C, r H, r W]."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """A copy."""
        return pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Module):
    """[..., C, r H, r W] -> [..., C r r, H, W]."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """A copy."""
        return pixel_unshuffle(input, self.downscale_factor)


class Upsample(Module):
    """[N, C, ...] with other sizes behind; see `F.interpolate`."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """A copy."""
        return interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )


class UpsamplingNearest2d(Upsample):
    """Rows and columns repeated."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class _ConstantPad(Module):
    """A number around the last dimensions; the subclass says how many."""

    dims = 0

    def __init__(self, padding: Any, value: float = 0.0) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """A copy."""
        return pad(input, self.padding, "constant", self.value)


class ConstantPad1d(_ConstantPad):
    """Around the last dimension."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """Around rows and columns."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """Around frames, rows and columns."""

    dims = 3


class ZeroPad1d(ConstantPad1d):
    """Zeros around the last dimension."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)


class ZeroPad2d(ConstantPad2d):
    """Zeros around rows and columns."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)


class ZeroPad3d(ConstantPad3d):
    """Zeros around frames, rows and columns."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)
