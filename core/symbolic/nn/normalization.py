"""Normalisation layers."""

from __future__ import annotations

from typing import Any

from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.nn.module import Module
from tttdit.core.symbolic.ops.normalization import group_norm, layer_norm, rms_norm
from tttdit.core.symbolic.tensor import Parameter, Tensor, given


class _Norm(Module):
    """A layer with a weight and a bias of one shape, either of which can be left out."""

    def _affine(self, shape: tuple[int, ...], weight: bool, bias: bool, dtype: DType | None) -> None:
        self.register_parameter("weight", Parameter(given(shape, dtype)) if weight else None)
        self.register_parameter("bias", Parameter(given(shape, dtype)) if bias else None)

    def reset_parameters(self) -> None:
        """New numbers, were there any."""


class LayerNorm(_Norm):
    """LayerNorm over the last dimensions."""

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._affine(self.normalized_shape, elementwise_affine, elementwise_affine and bias, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(_Norm):
    """RMSNorm over the last dimensions."""

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.register_parameter(
            "weight", Parameter(given(self.normalized_shape, dtype)) if elementwise_affine else None
        )

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)


class GroupNorm(_Norm):
    """GroupNorm of [N, C, ...]."""

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError("num_channels must be divisible by num_groups")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._affine((num_channels,), affine, affine, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)
