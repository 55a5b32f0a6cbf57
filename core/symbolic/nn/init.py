"""`torch.nn.init`: there are no numbers to fill in, so each gives back its tensor."""

from __future__ import annotations

from typing import Any

from tttdit.core.symbolic.tensor import Tensor


def _initialiser(name: str) -> Any:
    def fill(tensor: Tensor, *arguments: Any, **keywords: Any) -> Tensor:
        return tensor

    fill.__name__ = name
    return fill


__all__ = [
    "constant_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

constant_ = _initialiser("constant_")
eye_ = _initialiser("eye_")
kaiming_normal_ = _initialiser("kaiming_normal_")
kaiming_uniform_ = _initialiser("kaiming_uniform_")
normal_ = _initialiser("normal_")
ones_ = _initialiser("ones_")
orthogonal_ = _initialiser("orthogonal_")
trunc_normal_ = _initialiser("trunc_normal_")
uniform_ = _initialiser("uniform_")
xavier_normal_ = _initialiser("xavier_normal_")
xavier_uniform_ = _initialiser("xavier_uniform_")
zeros_ = _initialiser("zeros_")
