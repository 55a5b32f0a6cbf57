"""The TTT-Linear scan as one operator with its own backward."""

from collections.abc import Callable

import torch
from torch import Tensor

from tttdit.plugins.ttt.scan.operators import (
    Kept,
    Network,
    Scan,
    Weights,
    scan_backward,
    scan_backward_fake,
    scan_fake,
    scan_forward,
)


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
    group: int,
) -> Tensor:
    """Test-time training of z = x W1 + b1 along a sequence.

    q, k, v [B, L, A K] are projections, before norm and RoPE; eta [B, L, A] is each token's learning rate, cos and sin [L, K/2] its
    angles; norm weight and bias are [A, K], and W1 [A, K, K], b1 [A, 1, K] are where each sequence starts.
    L is a multiple of `mini_batch_size`; the backward recomputes `group` mini-batches at a time. Returns [B, L, A K] in q's dtype;
    inside, everything is float32 (float64 for float64).
    """
    return _scan(q, k, v, eta, cos, sin, norm_weight, norm_bias, W1, b1, mini_batch_size, norm_eps, group)[0]


class Linear(Network):
    """z = x W1 + b1. Nothing is hidden, nothing is kept of a step."""

    tile_tokens = 1024

    def kept_widths(self, K: int) -> list[int]:
        """See `Network`."""
        return []

    def predict(self, x: Tensor, weights: Weights) -> tuple[Tensor, None]:
        """See `Network`."""
        W1, b1 = weights
        return torch.baddbmm(b1, x, W1), None

    def predict_backward(self, dz: Tensor, hidden: None, weights: Weights) -> tuple[Tensor, Kept]:
        """See `Network`."""
        W1, _ = weights
        return torch.bmm(dz, W1.transpose(1, 2)), []

    def collect_(self, grads: Weights, x: Tensor, dz: Tensor, inside: Kept) -> None:
        """See `Network`."""
        dW1, db1 = grads
        dW1.baddbmm_(x.transpose(1, 2), dz)
        db1.add_(dz.sum(1, keepdim=True))

    def learn_(self, weights: Weights, x: Tensor, hidden: None, a: Tensor, kept: Kept | None) -> None:
        """See `Network`."""
        W1, b1 = weights
        W1.baddbmm_(x.transpose(1, 2), a, alpha=-1)
        b1.sub_(a.sum(1, keepdim=True))

    def step_backward_(
        self, grads: Weights, x: Tensor, kept: Kept, a: Tensor, weights: Weights, dz_of: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """See `Network`."""
        dW1, db1 = grads
        W1, _ = weights
        dz = dz_of(torch.baddbmm(db1, x, dW1, beta=-1, alpha=-1))  # through W1 - x' a and b1 - sum(a)
        dx = torch.bmm(dz, W1.transpose(1, 2)).baddbmm_(a, dW1.transpose(1, 2), alpha=-1)
        self.collect_(grads, x, dz, [])
        return dx


@torch.library.custom_op("tttdit::ttt_linear_scan", mutates_args=())
def _scan(
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
    mini_batch_size: int,
    norm_eps: float,
    group: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """The output, and W1 and b1 at the start of every group: [groups, B A, ., .]."""
    scan = Scan(Linear(), k, v, eta, cos, sin, norm_weight, norm_bias, mini_batch_size, norm_eps, group)
    out, W1s, b1s = scan_forward(scan, q, [W1, b1])
    return out, W1s, b1s


@torch.library.custom_op("tttdit::ttt_linear_scan_backward", mutates_args=())
def _scan_backward(
    grad: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    eta: Tensor,
    cos: Tensor,
    sin: Tensor,
    norm_weight: Tensor,
    norm_bias: Tensor,
    W1s: Tensor,
    b1s: Tensor,
    mini_batch_size: int,
    norm_eps: float,
    group: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of q, k, v, eta, norm weight, norm bias, W1 and b1."""
    scan = Scan(Linear(), k, v, eta, cos, sin, norm_weight, norm_bias, mini_batch_size, norm_eps, group)
    dq, dk, dv, deta, dweight, dbias, dW1, db1 = scan_backward(scan, q, [W1s, b1s], grad)
    return dq, dk, dv, deta, dweight, dbias, dW1, db1


@_scan.register_fake
def _scan_fake(q, k, v, eta, cos, sin, norm_weight, norm_bias, W1, b1, mini_batch_size, norm_eps, group):
    return scan_fake(q, norm_weight, [W1, b1], mini_batch_size, group)


@_scan_backward.register_fake
def _scan_backward_fake(
    grad, q, k, v, eta, cos, sin, norm_weight, norm_bias, W1s, b1s, mini_batch_size, norm_eps, group
):
    return scan_backward_fake(q, eta, norm_weight, [W1s, b1s])


def _setup(ctx, inputs, output):
    *tensors, W1, _, ctx.mini_batch_size, ctx.norm_eps, ctx.group = inputs
    ctx.dtype = W1.dtype
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors, *output[1:])


def _backward(ctx, grad, *_):
    if grad is None:
        return (None,) * 13
    sizes = (ctx.mini_batch_size, ctx.norm_eps, ctx.group)
    dq, dk, dv, deta, *parameters = _scan_backward(grad, *ctx.saved_tensors, *sizes)
    dweight, dbias, dW1, db1 = (gradient.to(ctx.dtype) for gradient in parameters)
    return dq, dk, dv, deta, None, None, dweight, dbias, dW1, db1, None, None, None


_scan.register_autograd(_backward, setup_context=_setup)
