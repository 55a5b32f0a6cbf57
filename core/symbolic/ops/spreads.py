"""Variances and standard deviations over dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import bool_
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.reductions import reduced_dims, unreduced, unsqueezed
from tttdit.core.symbolic.tensor import Size, Tensor


class _Spread:
    """Over which dimensions, and with which correction: what a variance's gradient needs beside its input."""

    def __init__(self, call: str, input: Tensor, dim: Any, unbiased: Any, correction: Any, keepdim: bool) -> None:
        if isinstance(dim, bool):  # std(False): the first argument is `unbiased`
            dim, unbiased = None, dim
        if unbiased is not None and correction is not None:
            raise UnknownCall(call, "with both unbiased and correction")
        if correction is None:
            correction = 1 if unbiased is None else int(unbiased)
        self.dims = reduced_dims(input, dim)
        self.whole = dim is None or input.ndim == 0
        self.keepdim = keepdim
        count = Size(input.shape[d] for d in self.dims).numel()
        if self.whole and wants_gradient(input) and count <= correction:
            raise UnknownCall(call, f"of {int(count)} elements with correction {correction}, which is not a number")

    def reduce(self, name: str, input: Tensor) -> Tensor:
        """The forward operator's result."""
        return raw.reduce(name, input, self.dims, keepdim=self.keepdim)

    def variance_backward(self, gradient: Tensor, input: Tensor) -> Tensor:
        """2 / (n - correction) gradient (x - mean)."""
        if not self.whole and input.ndim > 1:
            gradient = unsqueezed(gradient, self.dims, input.ndim, self.keepdim)
        mean = raw.reduce("mean", input, self.dims, keepdim=not self.whole)
        difference = raw.pointwise("sub", input, mean)
        return raw.pointwise("mul", raw.pointwise("mul", gradient), difference)

    def deviation_backward(self, gradient: Tensor, input: Tensor, result: Tensor) -> Tensor:
        """The variance's, of gradient / 2 result; 0 where the deviation is 0."""
        return self.variance_backward(_half_quotient(gradient, result), input)

    def mean_backward(self, gradient: Tensor, shape: Sequence[int]) -> Tensor:
        """The gradient, spread and divided."""
        spread = raw.expand(gradient, shape) if self.whole else unreduced(gradient, self.dims, shape, self.keepdim)
        return raw.pointwise("div", spread)


def _half_quotient(gradient: Tensor, result: Tensor) -> Tensor:
    double = raw.pointwise("mul", result)
    quotient = raw.pointwise("div", gradient, double)
    zero = raw.pointwise("eq", result, dtype=bool_)
    raw.inplace("masked_fill_", quotient)
    del double, zero
    return quotient


@known("torch.var", "Tensor.var")
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance; keeps its input."""
    over = _Spread("torch.var", input, dim, unbiased, correction, keepdim)
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            return [over.variance_backward(gradient, node.get("input"))]

        node = Node("Var", (input,), backward)
        node.save(input=input)
    out = over.reduce("var", input)
    return node.made(out) if node else out


@known("torch.std", "Tensor.std")
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation; keeps its input and itself."""
    over = _Spread("torch.std", input, dim, unbiased, correction, keepdim)
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept, result = node.get("input"), node.get("result")
            return [over.deviation_backward(gradient, kept, result)]

        node = Node("Std", (input,), backward)
        node.save(input=input)
    out = over.reduce("std", input)
    if node:
        node.save_output(result=out)
        node.made(out)
    return out


@known("torch.var_mean")
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean; keeps its input."""
    return _with_mean("var", input, _Spread("torch.var_mean", input, dim, unbiased, correction, keepdim))


@known("torch.std_mean")
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean; keeps its input and the deviation."""
    return _with_mean("std", input, _Spread("torch.std_mean", input, dim, unbiased, correction, keepdim))


def _with_mean(name: str, input: Tensor, over: _Spread) -> tuple[Tensor, Tensor]:
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            of_spread, of_mean = gradients
            kept = node.get("input")
            result = node.get("result") if name == "std" else None
            made = None
            if of_spread is not None:
                made = (
                    over.variance_backward(of_spread, kept)
                    if result is None
                    else over.deviation_backward(of_spread, kept, result)
                )
            if of_mean is not None:
                more = over.mean_backward(of_mean, kept.shape)
                made = more if made is None else raw.pointwise("add", made, more)
            return [made]

        node = Node(f"{name}_mean", (input,), backward)
        node.save(input=input)
    shape = [1 if i in over.dims else size for i, size in enumerate(input.shape) if over.keepdim or i not in over.dims]
    spread, mean = raw.empty(shape, input.dtype), raw.empty(shape, input.dtype)
    raw.dispatched(f"{name}_mean", spread, mean)
    if node:
        if name == "std":
            node.save_output(result=spread)
        node.made(spread, mean)
    return spread, mean
