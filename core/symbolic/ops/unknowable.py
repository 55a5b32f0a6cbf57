"""Calls whose result is data. They are known, so that the error can say why they have no answer here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.names import known

READS = "it reads a tensor's numbers, and a check has none"
COUNTS = "the size of its result depends on data, and a check has none"
COMPLEX = "complex numbers are not known; write a rotation with cos and sin"

REASONS = {
    READS: (
        "Tensor.item", "Tensor.tolist", "Tensor.numpy", "Tensor.__int__", "Tensor.__float__", "Tensor.__index__",
        "Tensor.__array__", "Tensor.__complex__", "torch.equal", "Tensor.equal", "torch.allclose", "Tensor.allclose",
        "torch.is_nonzero", "Tensor.is_nonzero", "Tensor.__contains__",
    ),
    COUNTS: (
        "torch.nonzero", "Tensor.nonzero", "torch.argwhere", "Tensor.argwhere", "torch.masked_select", "Tensor.masked_select",
        "torch.unique", "Tensor.unique", "torch.unique_consecutive", "Tensor.unique_consecutive", "torch.bincount",
        "Tensor.bincount",
    ),
    COMPLEX: (
        "torch.polar", "torch.complex", "torch.view_as_complex", "torch.view_as_real", "torch.real", "torch.imag", "torch.angle",
        "torch.conj", "Tensor.conj",
    ),
}  # fmt: skip


def _unknowable(names: tuple[str, ...], reason: str) -> None:
    for name in names:
        known(name)(_refusal(name, reason))


def _refusal(name: str, reason: str) -> Callable[..., Any]:
    def refuse(*arguments: Any, **keywords: Any) -> Any:
        raise UnknownCall(name, reason)

    refuse.__name__, refuse.__doc__ = name.rpartition(".")[2], f"Raises UnknownCall: {reason}."
    return refuse


for _reason, _names in REASONS.items():
    _unknowable(_names, _reason)
