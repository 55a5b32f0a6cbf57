"""Embeddings, dropout and softmax as layers."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.nn.module import Module
from tttdit.core.symbolic.ops.dropout import functional_dropout
from tttdit.core.symbolic.ops.embedding import embedding
from tttdit.core.symbolic.ops.softmax import functional_log_softmax, functional_softmax
from tttdit.core.symbolic.tensor import Parameter, Tensor, given


class Embedding(Module):
    """Rows of a table by index."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        if max_norm is not None or sparse:
            raise UnknownCall("nn.Embedding", "with max_norm or sparse gradients")
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        data = given((num_embeddings, embedding_dim), dtype) if _weight is None else _weight
        self.weight = Parameter(data, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """New numbers, were there any."""

    def forward(self, input: Tensor) -> Tensor:
        """[...] -> [..., D]."""
        return embedding(input, self.weight, self.padding_idx)


class Dropout(Module):
    """Dropout; in evaluation, or with p = 0, it gives back its input."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functional_dropout(input, self.p, self.training, self.inplace)


class Softmax(Module):
    """Softmax along a dimension."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functional_softmax(input, self.dim)


class LogSoftmax(Module):
    """The logarithm of softmax along a dimension."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        return functional_log_softmax(input, self.dim)
