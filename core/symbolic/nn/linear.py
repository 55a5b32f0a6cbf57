"""Linear layers."""

from __future__ import annotations

from typing import Any

from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.nn.module import Module
from tttdit.core.symbolic.ops.products import linear
from tttdit.core.symbolic.tensor import Parameter, Tensor, given


class Linear(Module):
    """x W' + b."""

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: DType | None = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(given((out_features, in_features), dtype))
        self.register_parameter("bias", Parameter(given((out_features,), dtype)) if bias else None)

    def reset_parameters(self) -> None:
        """New numbers, were there any."""

    def forward(self, input: Tensor) -> Tensor:
        """[..., in] -> [..., out]."""
        return linear(input, self.weight, self.bias)
