"""The TTT-MLP scan as its equations say it: the oracle of `operators.py`."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from tttdit.plugins.ttt.naive import norm, per_head, prepare, reconstruction_gradient


def gelu_derivative(x: Tensor) -> Tensor:
    """The derivative of GELU in its tanh form, x/2 (1 + tanh(c (x + a x^3)))."""
    c, a = math.sqrt(2 / math.pi), 0.044715
    t = torch.tanh(c * (x + a * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * a * x**2)


def ttt_mlp_scan(
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
    W2: Tensor,
    b2: Tensor,
    *,
    mini_batch_size: int,
    norm_eps: float,
) -> Tensor:
    """See `operators.ttt_mlp_scan`."""
    dtype, heads = q.dtype, W1.shape[0]
    q, k, v = (per_head(x, heads) for x in (q, k, v))
    weight, bias, W1, b1, W2, b2 = (p.to(q.dtype) for p in (norm_weight, norm_bias, W1, b1, W2, b2))
    q, k, v = prepare(q, k, v, cos, sin, weight, bias)
    eta = eta.transpose(1, 2).unsqueeze(-1)
    outputs = []
    for q_, k_, v_, eta_ in zip(*(x.split(mini_batch_size, 2) for x in (q, k, v, eta)), strict=True):
        Z1 = k_ @ W1 + b1
        X2 = F.gelu(Z1, approximate="tanh")
        Z2 = X2 @ W2 + b2
        g2 = reconstruction_gradient(Z2, v_ - k_, weight, bias, norm_eps)
        g1 = g2 @ W2.transpose(-2, -1) * gelu_derivative(Z1)
        W1 = W1 - k_.transpose(-2, -1) @ (eta_ * g1)
        b1 = b1 - (eta_ * g1).sum(-2, keepdim=True)
        W2 = W2 - X2.transpose(-2, -1) @ (eta_ * g2)
        b2 = b2 - (eta_ * g2).sum(-2, keepdim=True)
        inner = F.gelu(q_ @ W1 + b1, approximate="tanh") @ W2 + b2
        outputs.append(q_ + norm(inner, weight, bias, norm_eps))
    return torch.cat(outputs, 2).transpose(1, 2).flatten(2).to(dtype)
