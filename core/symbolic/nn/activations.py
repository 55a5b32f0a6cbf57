"""Activation layers."""

from __future__ import annotations

from typing import Any

from tttdit.core.symbolic.nn.module import Module
from tttdit.core.symbolic.ops import activations as functions
from tttdit.core.symbolic.ops.unary import sigmoid, tanh
from tttdit.core.symbolic.tensor import Tensor


class _Inplace(Module):
    """An activation whose only choice is whether it changes its input."""

    function: Any

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        result: Tensor = type(self).function(input, inplace=self.inplace)
        return result


class ReLU(_Inplace):
    """`max(x, 0)`."""

    function = functions.functional_relu


class ReLU6(_Inplace):
    """`min(max(x, 0), 6)`."""

    function = functions.relu6


class SELU(_Inplace):
    """The self-normalising exponential linear unit."""

    function = functions.selu


class SiLU(_Inplace):
    """`x sigmoid(x)`."""

    function = functions.silu


class Mish(_Inplace):
    """`x tanh(softplus(x))`."""

    function = functions.mish


class Hardswish(_Inplace):
    """`x relu6(x + 3) / 6`."""

    function = functions.hardswish


class Hardsigmoid(_Inplace):
    """`relu6(x + 3) / 6`."""

    function = functions.hardsigmoid


class LeakyReLU(Module):
    """`max(x, slope x)`."""

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.leaky_relu(input, self.negative_slope, self.inplace)


class ELU(Module):
    """The exponential linear unit."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.elu(input, self.alpha, self.inplace)


class CELU(Module):
    """The exponential linear unit with a continuous derivative."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.celu(input, self.alpha, self.inplace)


class Hardtanh(Module):
    """Between two bounds."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.hardtanh(input, self.min_val, self.max_val, self.inplace)


class Threshold(Module):
    """x above the threshold, else the value."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.threshold(input, self.threshold, self.value, self.inplace)


class Softplus(Module):
    """`log(1 + exp(x))`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.softplus(input, self.beta, self.threshold)


class Hardshrink(Module):
    """x where it is far from zero, else zero."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.hardshrink(input, self.lambd)


class Softshrink(Module):
    """x drawn towards zero."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.softshrink(input, self.lambd)


class Tanhshrink(Module):
    """`x - tanh(x)`."""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.tanhshrink(input)


class Softsign(Module):
    """`x / (1 + |x|)`."""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.softsign(input)


class LogSigmoid(Module):
    """`log(sigmoid(x))`."""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.logsigmoid(input)


class GELU(Module):
    """The Gaussian error linear unit."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functions.gelu(input, self.approximate)


class GLU(Module):
    """`a sigmoid(b)` of a dimension's two halves."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Half as wide along the dimension."""
        return functions.glu(input, self.dim)


class Sigmoid(Module):
    """The logistic function."""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return tanh(input)
