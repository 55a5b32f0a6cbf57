"""What the oracles of the TTT scans share: the paper's equations in plain PyTorch, differentiated by autograd.

Slow and hungry on purpose: nothing here is clever, so that it can be compared with the paper by reading.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from tttdit.plugins.ttt.rotary.module import rotate


def per_head(x: Tensor, heads: int) -> Tensor:
    """[B, L, A K] -> [B, A, L, K], float32 at least."""
    x = x if x.dtype == torch.float64 else x.float()
    return x.unflatten(-1, (heads, x.shape[-1] // heads)).transpose(1, 2)


def prepare(
    q: Tensor, k: Tensor, v: Tensor, cos: Tensor, sin: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalised and turned q and k, and the v whose difference to k the inner loss reconstructs; all [B, A, L, K]."""
    q = rotate(F.normalize(q, dim=-1, eps=1e-12), cos, sin)
    k = rotate(F.normalize(k, dim=-1, eps=1e-12), cos, sin)
    u = v - k
    u = (u - u.mean(-1, keepdim=True)) / (u.std(-1, keepdim=True) + 1e-8)
    u = weight.unsqueeze(1) * u + bias.unsqueeze(1)
    return q, k, u + k


def norm(z: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """LN_g: LayerNorm over K with each head's weight and bias; z [B, A, b, K]."""
    return F.layer_norm(z, (z.shape[-1],), eps=eps) * weight.unsqueeze(1) + bias.unsqueeze(1)


def reconstruction_gradient(z: Tensor, target: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """d/dz of 1/2 sum (LN_g(z) - target)^2, itself differentiable."""
    mean = z.mean(-1, keepdim=True)
    deviation = ((z - mean).square().mean(-1, keepdim=True) + eps).sqrt()
    unit = (z - mean) / deviation
    inner = (weight.unsqueeze(1) * unit + bias.unsqueeze(1) - target) * weight.unsqueeze(1)
    return (inner - inner.mean(-1, keepdim=True) - unit * (inner * unit).mean(-1, keepdim=True)) / deviation
