"""The TTT-MLP scan as one operator with its own backward."""

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
from tttdit.plugins.ttt_mlp.gelu.operators import Gelu


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
    group: int,
) -> Tensor:
    """Test-time training of z = gelu(x W1 + b1) W2 + b2 along a sequence.

    q, k, v [B, L, A K] are projections, before norm and RoPE; eta [B, L, A] is each token's learning rate, cos and sin [L, K/2] its
    angles; norm weight and bias are [A, K], and W1 [A, K, 4K], b1 [A, 1, 4K], W2 [A, 4K, K], b2 [A, 1, K] are where each sequence starts.
    L is a multiple of `mini_batch_size`; the backward recomputes `group` mini-batches at a time. Returns [B, L, A K] in q's dtype;
    inside, everything is float32 (float64 for float64).
    """
    return _scan(q, k, v, eta, cos, sin, norm_weight, norm_bias, W1, b1, W2, b2, mini_batch_size, norm_eps, group)[0]


class MLP(Network):
    """z = gelu(Z1) W2 + b2, Z1 = x W1 + b1."""

    tile_tokens = 64

    def kept_widths(self, K: int) -> list[int]:
        """See `Network`."""
        return [4 * K, 4 * K]

    def predict(self, x: Tensor, weights: Weights) -> tuple[Tensor, Gelu]:
        """See `Network`."""
        W1, b1, W2, b2 = weights
        hidden = Gelu(torch.baddbmm(b1, x, W1))
        return torch.baddbmm(b2, hidden.value, W2), hidden

    def predict_backward(self, dz: Tensor, hidden: Gelu, weights: Weights) -> tuple[Tensor, Kept]:
        """See `Network`; inside: dZ1 and gelu(Z1)."""
        W1, _, W2, _ = weights
        dZ1 = torch.bmm(dz, W2.transpose(1, 2)).mul_(hidden.slope())
        return torch.bmm(dZ1, W1.transpose(1, 2)), [dZ1, hidden.value]

    def collect_(self, grads: Weights, x: Tensor, dz: Tensor, inside: Kept) -> None:
        """See `Network`."""
        dW1, db1, dW2, db2 = grads
        dZ1, X2 = inside
        dW1.baddbmm_(x.transpose(1, 2), dZ1)
        db1.add_(dZ1.sum(1, keepdim=True))
        dW2.baddbmm_(X2.transpose(1, 2), dz)
        db2.add_(dz.sum(1, keepdim=True))

    def learn_(self, weights: Weights, x: Tensor, hidden: Gelu, a: Tensor, kept: Kept | None) -> None:
        """See `Network`. Kept are Z1 and P = a W2', which makes the gradient of Z1: a1 = gelu'(Z1) P."""
        W1, b1, W2, b2 = weights
        if kept is None:
            P = torch.bmm(a, W2.transpose(1, 2))
        else:
            kept[0].copy_(hidden.x)
            P = kept[1].baddbmm_(a, W2.transpose(1, 2), beta=0)
        a1 = hidden.slope().mul_(P)
        W1.baddbmm_(x.transpose(1, 2), a1, alpha=-1)
        b1.sub_(a1.sum(1, keepdim=True))
        W2.baddbmm_(hidden.value.transpose(1, 2), a, alpha=-1)
        b2.sub_(a.sum(1, keepdim=True))

    def step_backward_(
        self, grads: Weights, x: Tensor, kept: Kept, a: Tensor, weights: Weights, dz_of: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """See `Network`."""
        W1, _, W2, _ = weights
        dW1, db1, dW2, db2 = grads
        Z1, P = kept
        hidden = Gelu(Z1)
        slope = hidden.slope()
        da1 = torch.baddbmm(db1, x, dW1, beta=-1, alpha=-1)
        dP = da1 * slope
        dz = dz_of(torch.baddbmm(db2, hidden.value, dW2, beta=-1, alpha=-1).baddbmm_(dP, W2))
        dX2 = torch.bmm(dz, W2.transpose(1, 2)).baddbmm_(a, dW2.transpose(1, 2), alpha=-1)
        dZ1 = hidden.bend().mul_(P).mul_(da1).addcmul_(dX2, slope)
        a1 = slope.mul_(P)
        dx = torch.bmm(dZ1, W1.transpose(1, 2)).baddbmm_(a1, dW1.transpose(1, 2), alpha=-1)
        dW2.baddbmm_(dP.transpose(1, 2), a)
        self.collect_(grads, x, dz, [dZ1, hidden.value])
        return dx


@torch.library.custom_op("tttdit::ttt_mlp_scan", mutates_args=())
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
    W2: Tensor,
    b2: Tensor,
    mini_batch_size: int,
    norm_eps: float,
    group: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The output, and W1, b1, W2 and b2 at the start of every group: [groups, B A, ., .]."""
    scan = Scan(MLP(), k, v, eta, cos, sin, norm_weight, norm_bias, mini_batch_size, norm_eps, group)
    out, W1s, b1s, W2s, b2s = scan_forward(scan, q, [W1, b1, W2, b2])
    return out, W1s, b1s, W2s, b2s


@torch.library.custom_op("tttdit::ttt_mlp_scan_backward", mutates_args=())
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
    W2s: Tensor,
    b2s: Tensor,
    mini_batch_size: int,
    norm_eps: float,
    group: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of q, k, v, eta, norm weight, norm bias, W1, b1, W2 and b2."""
    scan = Scan(MLP(), k, v, eta, cos, sin, norm_weight, norm_bias, mini_batch_size, norm_eps, group)
    dq, dk, dv, deta, dweight, dbias, dW1, db1, dW2, db2 = scan_backward(scan, q, [W1s, b1s, W2s, b2s], grad)
    return dq, dk, dv, deta, dweight, dbias, dW1, db1, dW2, db2


@_scan.register_fake
def _scan_fake(q, k, v, eta, cos, sin, norm_weight, norm_bias, W1, b1, W2, b2, mini_batch_size, norm_eps, group):
    return scan_fake(q, norm_weight, [W1, b1, W2, b2], mini_batch_size, group)


@_scan_backward.register_fake
def _scan_backward_fake(
    grad, q, k, v, eta, cos, sin, norm_weight, norm_bias, W1s, b1s, W2s, b2s, mini_batch_size, norm_eps, group
):
    return scan_backward_fake(q, eta, norm_weight, [W1s, b1s, W2s, b2s])


def _setup(ctx, inputs, output):
    *tensors, W1, _, _, _, ctx.mini_batch_size, ctx.norm_eps, ctx.group = inputs
    ctx.dtype = W1.dtype
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors, *output[1:])


def _backward(ctx, grad, *_):
    if grad is None:
        return (None,) * 15
    sizes = (ctx.mini_batch_size, ctx.norm_eps, ctx.group)
    dq, dk, dv, deta, *parameters = _scan_backward(grad, *ctx.saved_tensors, *sizes)
    dweight, dbias, dW1, db1, dW2, db2 = (gradient.to(ctx.dtype) for gradient in parameters)
    return dq, dk, dv, deta, None, None, dweight, dbias, dW1, db1, dW2, db2, None, None, None


_scan.register_autograd(_backward, setup_context=_setup)
