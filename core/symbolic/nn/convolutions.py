"""Convolution and pooling layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.nn.module import Module
from tttdit.core.symbolic.ops import convolutions, pooling
from tttdit.core.symbolic.tensor import Parameter, Tensor, given


class _Convolution(Module):
    """A convolution; the subclass says over how many dimensions, and whether it is transposed."""

    dims: ClassVar[int]
    transposed: ClassVar[bool] = False

    def _made(
        self,
        channels: tuple[int, int],
        kernel_size: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: DType | None,
    ) -> None:
        if padding_mode != "zeros":
            raise UnknownCall(f"nn.{type(self).__name__}", f"with padding_mode={padding_mode!r}")
        self.in_channels, self.out_channels = channels
        if self.in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if self.out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        self.groups = groups
        self.kernel_size = (kernel_size,) * self.dims if isinstance(kernel_size, int) else tuple(kernel_size)
        first, second = reversed(channels) if not self.transposed else channels
        self.weight = Parameter(given((first, second // groups, *self.kernel_size), dtype))
        self.register_parameter("bias", Parameter(given((self.out_channels,), dtype)) if bias else None)

    def reset_parameters(self) -> None:
        """New numbers, were there any."""


class _Forward(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self._made((in_channels, out_channels), kernel_size, groups, bias, padding_mode, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """[N, in, ...] -> [N, out, ...]."""
        function = (convolutions.conv1d, convolutions.conv2d, convolutions.conv3d)[self.dims - 1]
        return function(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class _Transposed(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.output_padding, self.dilation = stride, padding, output_padding, dilation
        self._made((in_channels, out_channels), kernel_size, groups, bias, padding_mode, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """[N, in, ...] -> [N, out, ...]."""
        functions = (convolutions.conv_transpose1d, convolutions.conv_transpose2d, convolutions.conv_transpose3d)
        return functions[self.dims - 1](
            input, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


class Conv1d(_Forward):
    """Over one dimension."""

    dims = 1


class Conv2d(_Forward):
    """Over rows and columns."""

    dims = 2


class Conv3d(_Forward):
    """Over frames, rows and columns."""

    dims = 3


class ConvTranspose1d(_Transposed):
    """The transposed one, over one dimension."""

    dims = 1


class ConvTranspose2d(_Transposed):
    """The transposed one, over rows and columns."""

    dims = 2


class ConvTranspose3d(_Transposed):
    """The transposed one, over frames, rows and columns."""

    dims = 3


class _Pool(Module):
    """Windows of a size, by default side by side; the subclass names the function."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """[N, C, ...] -> [N, C, ...], smaller."""
        return type(self).function(input, self.kernel_size, self.stride, self.padding, ceil_mode=self.ceil_mode)


class AvgPool1d(_Pool):
    """Means of windows of [N, C, L]."""

    function = pooling.avg_pool1d


class AvgPool2d(_Pool):
    """Means of windows of [N, C, H, W]."""

    function = pooling.avg_pool2d


class AvgPool3d(_Pool):
    """Means of windows of [N, C, F, H, W]."""

    function = pooling.avg_pool3d


class MaxPool2d(_Pool):
    """Maxima of windows of [N, C, H, W]."""

    function = pooling.max_pool2d


class AdaptiveAvgPool2d(Module):
    """Means of so many windows of [N, C, H, W]."""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, *output_size]."""
        return pooling.adaptive_avg_pool2d(input, self.output_size)
