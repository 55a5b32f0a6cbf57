"""The TTT-Linear scan as its equations say it: the oracle of `operators.py`."""

from __future__ import annotations

import torch
from torch import Tensor

from tttdit.plugins.ttt.naive import norm, per_head, prepare, reconstruction_gradient


def ttt_linear_scan(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    eta: Tensor,
    cos: Tensor,
    sin: Tensor,
    norm_weight: Tensor,
    norm_bias: Tensor,
    W1: Tensor,
    b1: Tensor,
    *,
    mini_batch_size: int,
    norm_eps: float,
) -> Tensor:
    """See `operators.ttt_linear_scan`."""
    dtype, heads = q.dtype, W1.shape[0]
    q, k, v = (per_head(x, heads) for x in (q, k, v))
    weight, bias, W1, b1 = (p.to(q.dtype) for p in (norm_weight, norm_bias, W1, b1))
    q, k, v = prepare(q, k, v, cos, sin, weight, bias)
    eta = eta.transpose(1, 2).unsqueeze(-1)
    outputs = []
    for q_, k_, v_, eta_ in zip(*(x.split(mini_batch_size, 2) for x in (q, k, v, eta)), strict=True):
        g = reconstruction_gradient(k_ @ W1 + b1, v_ - k_, weight, bias, norm_eps)
        W1 = W1 - k_.transpose(-2, -1) @ (eta_ * g)
        b1 = b1 - (eta_ * g).sum(-2, keepdim=True)
        outputs.append(q_ + norm(q_ @ W1 + b1, weight, bias, norm_eps))
    return torch.cat(outputs, 2).transpose(1, 2).flatten(2).to(dtype)
