"""Losses as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.nn.module import Module
from tttdit.core.symbolic.ops import losses
from tttdit.core.symbolic.tensor import Tensor


class _Loss(Module):
    """A loss of an input and a target; the subclass names the function."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, size_average: None = None, reduce: None = None, reduction: str = "mean") -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            raise UnknownCall(f"nn.{type(self).__name__}", "with size_average or reduce, which are deprecated")
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """A number, or one for each element."""
        return type(self).function(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """The squared error."""

    function = losses.mse_loss


class L1Loss(_Loss):
    """The absolute error."""

    function = losses.l1_loss


class SmoothL1Loss(_Loss):
    """The squared error up to `beta`, the absolute one beyond."""

    def __init__(
        self, size_average: None = None, reduce: None = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """A number, or one for each element."""
        return losses.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """The squared error up to `delta`, the absolute one beyond."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """A number, or one for each element."""
        return losses.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCEWithLogitsLoss(_Loss):
    """Cross entropy of two classes from logits."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if weight is not None or pos_weight is not None:
            raise UnknownCall("nn.BCEWithLogitsLoss", "with weights")

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """A number, or one for each element."""
        return losses.binary_cross_entropy_with_logits(input, target, reduction=self.reduction)


class CrossEntropyLoss(_Loss):
    """Cross entropy of logits with classes."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        ignore_index: int = -100,
        reduce: None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if weight is not None or label_smoothing:
            raise UnknownCall("nn.CrossEntropyLoss", "with class weights or label smoothing")
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """A number, or one for each row."""
        return losses.cross_entropy(input, target, ignore_index=self.ignore_index, reduction=self.reduction)
