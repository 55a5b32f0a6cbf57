"""Tiles: runs of mini-batches, laid out for a scan and prepared for it, and the backward of that.

Shapes: B batch, A heads, N = B A, K head width, L tokens, b mini-batch, m mini-batches of a tile.
"""

import math

import torch
from torch import Tensor

LENGTH_EPS = 1e-12  # of the L2 norm of q and of k
SPREAD_EPS = 1e-8  # of the standard deviation of v - k


class Tiles:
    """The mini-batches of q-like tensors [B, L, A K] and rate-like tensors [B, L, A].

    Reading casts to float32 (from float64: to float64), writing casts back.
    """

    def __init__(self, q: Tensor, heads: int, mini_batch_size: int) -> None:
        self.batch, length, width = q.shape
        self.heads = heads
        self.head_width = width // heads
        self.mini_batch_size = mini_batch_size
        self.count = length // mini_batch_size
        self.dtype = torch.float64 if q.dtype == torch.float64 else torch.float32

    def tokens(self, x: Tensor, first: int, m: int) -> Tensor:
        """The tile of m mini-batches behind the first ones, as a view [m, B, A, b, K] of x [B, L, A K]."""
        rows = x.narrow(1, first * self.mini_batch_size, m * self.mini_batch_size)
        rows = rows.unflatten(2, (self.heads, self.head_width)).unflatten(1, (m, self.mini_batch_size))
        return rows.permute(1, 0, 3, 2, 4)

    def rates(self, eta: Tensor, first: int, m: int) -> Tensor:
        """The same as a view [m, B, A, b] of eta [B, L, A]."""
        rows = eta.narrow(1, first * self.mini_batch_size, m * self.mini_batch_size)
        return rows.unflatten(1, (m, self.mini_batch_size)).permute(1, 0, 3, 2)

    def read(self, view: Tensor) -> Tensor:
        """A view [m, B, A, ...] as a tensor of its own [m, N, ...]."""
        return view.new_empty(view.shape, dtype=self.dtype).copy_(view).flatten(1, 2)

    def write(self, view: Tensor, x: Tensor) -> None:
        """Puts x [m, N, ...] where a view [m, B, A, ...] points."""
        view.copy_(x.unflatten(1, (self.batch, self.heads)))

    def turn(self, cos: Tensor, sin: Tensor, first: int, m: int) -> "Turn":
        """The tile's rotation, from tables [L, K/2]."""
        return Turn(self._angles(cos, first, m), self._angles(sin, first, m))

    def _angles(self, table: Tensor, first: int, m: int) -> Tensor:
        """The tile's rows of a table, as [m, 1, b, K/2]."""
        rows = table.narrow(0, first * self.mini_batch_size, m * self.mini_batch_size).to(self.dtype)
        return rows.unflatten(0, (m, self.mini_batch_size)).unsqueeze(1)

    def for_each_sequence(self, parameter: Tensor) -> Tensor:
        """A parameter of the heads [A, ., .], copied for every sequence of the batch: [N, ., .]."""
        copies = parameter.new_empty((self.batch, *parameter.shape), dtype=self.dtype)
        return copies.copy_(parameter).flatten(0, 1)

    def of_all_sequences(self, gradient: Tensor) -> Tensor:
        """The backward of `for_each_sequence`: [N, ., .] summed to [A, ., .]."""
        return gradient.unflatten(0, (self.batch, self.heads)).sum(0)


class Turn:
    """RoPE: turns the pairs of neighbours in x [..., K] by the angles of cos and sin [..., K/2].

    An element takes from the next one where it is the first of its pair, from the one before where it is the second. So two shifts by
    one do it, with zeros in the table between pairs: on a CPU far faster than taking pairs apart and putting them together again.
    """

    def __init__(self, cos: Tensor, sin: Tensor) -> None:
        self.own = torch.stack((cos, cos), -1).flatten(-2)
        self.last = self.own.shape[-1] - 1
        self.across = torch.stack((sin, torch.zeros_like(sin)), -1).flatten(-2).narrow(-1, 0, self.last)

    def __call__(self, x: Tensor) -> Tensor:
        """x, turned."""
        return self._turned(x, 1)

    def back(self, x: Tensor) -> Tensor:
        """x, turned the other way: the inverse, and the backward."""
        return self._turned(x, -1)

    def _turned(self, x: Tensor, way: int) -> Tensor:
        turned = x * self.own
        turned.narrow(-1, 0, self.last).addcmul_(x.narrow(-1, 1, self.last), self.across, value=-way)
        turned.narrow(-1, 1, self.last).addcmul_(x.narrow(-1, 0, self.last), self.across, value=way)
        return turned


def unit_(x: Tensor, turn: Turn) -> tuple[Tensor, Tensor]:
    """x [..., K] with length 1, turned; and 1 / its length before."""
    scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min_(LENGTH_EPS).reciprocal_()
    return turn(x.mul_(scale)), scale


def unit_backward_(grad: Tensor, turned: Tensor, scale: Tensor, turn: Turn) -> Tensor:
    """d x from the gradient of the turned x. (A turn keeps lengths, so the projection may come before turning back.)"""
    along = (grad * turned).sum(-1, keepdim=True)
    return turn.back(grad.addcmul_(turned, along, value=-1).mul_(scale))


def standard_(x: Tensor) -> tuple[Tensor, Tensor]:
    """x [..., K] with mean 0 and standard deviation (divisor K - 1) 1; and 1 / (its deviation before + eps)."""
    x.sub_(x.mean(-1, keepdim=True))
    deviation = torch.linalg.vector_norm(x, dim=-1, keepdim=True).div_(math.sqrt(x.shape[-1] - 1))
    scale = deviation.add_(SPREAD_EPS).reciprocal_()
    return x.mul_(scale), scale


def standard_backward_(grad: Tensor, result: Tensor, scale: Tensor) -> Tensor:
    """d x from the gradient of `standard_`'s result."""
    share = (1 - SPREAD_EPS * scale).clamp_min_(1e-6)  # deviation / (deviation + eps), away from 0 where x is constant
    along = (grad * result).sum(-1, keepdim=True).div_(share).div_(result.shape[-1] - 1)
    return grad.sub_(grad.mean(-1, keepdim=True)).addcmul_(result, along, value=-1).mul_(scale)
