"""The scan of test-time training and its backward, for any network that a mixer trains.

Both run over tiles of mini-batches, prepared together, then trained on one after the other. The backward replays one group of
mini-batches at a time from the fast weights that the forward stored at its start, so that what it holds depends on the group's
size and not on the sequence's.

The inner loss of a mini-batch is 1/2 |LN_g(f(k)) - (v - k)|^2 with the target v - k = gamma u + beta, u standardised. Its beta
cancels, so that LN_g(f(k)) - (v - k) = gamma (LN(f(k)) - u).

Shapes: B batch, A heads, N = B A, K head width, b mini-batch, m mini-batches of a tile. Fast weights, norms and sums are float32,
for float64 inputs float64.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from tttdit.core.loops import steps
from tttdit.plugins.ttt.tiles.operators import Tiles, standard, standard_backward, unit, unit_backward

Weights = list[Tensor]
Kept = list[Tensor]


class Network(ABC):
    """What a mixer trains: a map f from K to K numbers a head, for M heads at once (of one mini-batch, or of several).

    x, z and their gradients are [M, b, K]; weights and their gradients are lists of [M, ., .]. `kept` is what `predict` returned beside z.
    Methods whose names end in an underscore write into the tensors of their first argument. A tile has `tile_tokens` tokens,
    rounded up to whole mini-batches: enough to keep a machine busy with work that waits for no step, and no more than `kept` may take.
    """

    tile_tokens: ClassVar[int]

    @abstractmethod
    def predict(self, x: Tensor, weights: Weights) -> tuple[Tensor, Kept]:
        """z = f(x), and what the other methods need of its inside."""

    @abstractmethod
    def predict_backward(self, dz: Tensor, kept: Kept, weights: Weights) -> tuple[Tensor, Kept]:
        """d x, and what `collect_` needs besides dz and x for the weights' gradients."""

    @abstractmethod
    def collect_(self, grads: Weights, dz: Tensor, x: Tensor, inside: Kept) -> None:
        """Adds the weights' gradients of one `predict`."""

    @abstractmethod
    def train_(self, weights: Weights, x: Tensor, kept: Kept, a: Tensor) -> None:
        """A step of gradient descent; a [M, b, K] is d loss / d z, each row times its learning rate."""

    @abstractmethod
    def train_backward(self, grads: Weights, x: Tensor, kept: Kept, a: Tensor, weights: Weights) -> tuple[Tensor, Kept]:
        """d a, from the gradients of the weights after `train_`; and what `step_backward_` goes on with.

        `weights` are those before `train_`.
        """

    @abstractmethod
    def step_backward_(
        self, grads: Weights, dz: Tensor, x: Tensor, kept: Kept, a: Tensor, weights: Weights, pending: Kept
    ) -> Tensor:
        """d x of `predict` and `train_`; `grads` become the gradients of the weights before them."""


class Scan:
    """One scan's operands: everything but q, and what is computed from them once.

    k, v [B, L, A K], eta [B, L, A], cos, sin [L, K/2], norm weight and bias [A, K]; `group` mini-batches between two stored states.
    """

    def __init__(
        self,
        network: Network,
        k: Tensor,
        v: Tensor,
        eta: Tensor,
        cos: Tensor,
        sin: Tensor,
        norm_weight: Tensor,
        norm_bias: Tensor,
        mini_batch_size: int,
        norm_eps: float,
        group: int,
    ) -> None:
        self.network = network
        self.k, self.v, self.eta = k, v, eta
        self.cos, self.sin = cos, sin
        self.norm_eps = norm_eps
        self.tiles = Tiles(k, norm_weight.shape[0], mini_batch_size, network.tile_tokens)
        self.group = min(group, self.tiles.count)
        self.gain = self.tiles.for_each_sequence(norm_weight.unsqueeze(1))
        self.bias = self.tiles.for_each_sequence(norm_bias.unsqueeze(1))

    def angles(self, first: int, m: int) -> tuple[Tensor, Tensor]:
        """cos and sin of a tile."""
        return self.tiles.angles(self.cos, first, m), self.tiles.angles(self.sin, first, m)

    def prepare(self, first: int, m: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Keys, targets u [m, N, b, K] and rates [m, N, b, 1] of a tile; then the scales that the first two were divided by."""
        keys, key_scale = unit(self.tiles.read(self.tiles.tokens(self.k, first, m)), *self.angles(first, m))
        values = self.tiles.read(self.tiles.tokens(self.v, first, m))
        targets, target_scale = standard(values.sub_(keys))
        rates = self.tiles.read(self.tiles.rates(self.eta, first, m)).unsqueeze(-1)
        return keys, targets, rates, key_scale, target_scale

    def norm(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """LN(z), without gain and bias; mean and 1/deviation of the rows of z."""
        return torch.native_layer_norm(z, z.shape[-1:], None, None, self.norm_eps)

    def train_(self, weights: Weights, keys: Tensor, targets: Tensor, rates: Tensor) -> None:
        """One mini-batch's step of gradient descent, in place."""
        z, kept = self.network.predict(keys, weights)
        unit_z, mean, rstd = self.norm(z)
        inner = unit_z.sub_(targets).mul_(self.gain).mul_(self.gain)
        self.network.train_(weights, keys, kept, norm_backward(inner, z, mean, rstd).mul_(rates))


def norm_backward(grad: Tensor, z: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
    """d z from the gradient of LN(z)."""
    wanted = [True, False, False]  # of input, weight and bias; there is no weight and no bias
    dz, _, _ = torch.ops.aten.native_layer_norm_backward(grad, z, z.shape[-1:], mean, rstd, None, None, wanted)
    return dz


def scan_forward(scan: Scan, q: Tensor, initial: Weights) -> list[Tensor]:
    """The output [B, L, A K] and, for every fast weight, its values at the start of each group [groups, N, ., .]."""
    tiles, group, network = scan.tiles, scan.group, scan.network
    weights = [tiles.for_each_sequence(weight) for weight in initial]
    states = [weight.new_empty((-(-tiles.count // group), *weight.shape)) for weight in weights]
    out = q.new_empty(q.shape)
    for tile in steps(-(-tiles.count // tiles.size)):
        first = tile * tiles.size
        m = min(tiles.size, tiles.count - first)
        keys, targets, rates, _, _ = scan.prepare(first, m)
        queries, _ = unit(tiles.read(tiles.tokens(q, first, m)), *scan.angles(first, m))
        outputs = torch.empty_like(queries)
        for i in steps(m):
            if (first + i) % group == 0:
                for state, weight in zip(states, weights, strict=True):
                    state[(first + i) // group].copy_(weight)
            scan.train_(weights, keys[i], targets[i], rates[i])
            outputs[i].copy_(network.predict(queries[i], weights)[0])
        normal, _, _ = scan.norm(outputs)
        tiles.write(tiles.tokens(out, first, m), normal.mul_(scan.gain).add_(scan.bias).add_(queries))
    return [out, *states]


def scan_backward(scan: Scan, q: Tensor, states: Weights, grad: Tensor) -> list[Tensor]:
    """Gradients of q, k, v, eta, norm weight, norm bias and of every fast weight, in this order; the latter summed over the batch."""
    return Backward(scan, q, states, grad).run()


def scan_fake(q: Tensor, norm_weight: Tensor, initial: Weights, mini_batch_size: int, group: int) -> list[Tensor]:
    """Tensors like those of `scan_forward`, without values."""
    count = q.shape[1] // mini_batch_size
    groups = -(-count // min(group, count))
    dtype = torch.float64 if q.dtype == torch.float64 else torch.float32
    states = [
        weight.new_empty((groups, q.shape[0] * norm_weight.shape[0], *weight.shape[1:]), dtype=dtype)
        for weight in initial
    ]
    return [q.new_empty(q.shape), *states]


def scan_backward_fake(q: Tensor, eta: Tensor, norm_weight: Tensor, states: Weights) -> list[Tensor]:
    """Tensors like those of `scan_backward`, without values."""
    norms = [states[0].new_empty(norm_weight.shape) for _ in range(2)]
    weights = [state.new_empty((norm_weight.shape[0], *state.shape[2:])) for state in states]
    return [*(q.new_empty(q.shape) for _ in range(3)), eta.new_empty(eta.shape), *norms, *weights]


class Backward:
    """The backward of a scan: what it writes, and the fast weights of the group that it is in."""

    def __init__(self, scan: Scan, q: Tensor, states: Weights, grad: Tensor) -> None:
        self.scan, self.q, self.states, self.grad = scan, q, states, grad
        self.dq, self.dk, self.dv = q.new_empty(q.shape), q.new_empty(q.shape), q.new_empty(q.shape)
        self.deta = scan.eta.new_empty(scan.eta.shape)
        self.dgain, self.dbias = torch.zeros_like(scan.gain), torch.zeros_like(scan.bias)
        self.dweights = [torch.zeros_like(state[0]) for state in states]
        # of the group: the weights before each of its mini-batches, and after the last
        self.trail = [state.new_empty((scan.group + 1, *state.shape[1:])) for state in states]

    def run(self) -> list[Tensor]:
        """See `scan_backward`."""
        scan, tiles = self.scan, self.scan.tiles
        for g in reversed(steps(self.states[0].shape[0])):
            start = g * scan.group
            count = min(scan.group, tiles.count - start)
            for trail, state in zip(self.trail, self.states, strict=True):
                trail[0].copy_(state[g])
            for tile in steps(-(-count // tiles.size)):
                self.replay(start, tile * tiles.size, min(tiles.size, count - tile * tiles.size))
            for tile in reversed(steps(-(-count // tiles.size))):
                self.tile(start, tile * tiles.size, min(tiles.size, count - tile * tiles.size))
        parameters = [self.dgain.squeeze(1), self.dbias.squeeze(1), *self.dweights]
        return [self.dq, self.dk, self.dv, self.deta, *(tiles.of_all_sequences(grad) for grad in parameters)]

    def replay(self, start: int, first: int, m: int) -> None:
        """Fills in the trail behind the group's mini-batch `first`, m of them."""
        keys, targets, rates, _, _ = self.scan.prepare(start + first, m)
        for i in steps(m):
            after = [trail[first + i + 1] for trail in self.trail]
            for trail, weight in zip(self.trail, after, strict=True):
                weight.copy_(trail[first + i])
            self.scan.train_(after, keys[i], targets[i], rates[i])

    def tile(self, start: int, first: int, m: int) -> None:
        """The backward of m mini-batches, behind the group's mini-batch `first`."""
        queries, dy, inside = self.output(start, first, m)
        self.training(start, first, m, queries, dy, inside)

    def output(self, start: int, first: int, m: int) -> tuple[Tensor, Tensor, Kept]:
        """Through q + LN_g(f(q)), with the weights after each mini-batch's step, to q.

        Returns q, the gradient of f(q), and what `collect_` needs for the weights' gradients, whose turn has not come yet.
        """
        scan, tiles, network = self.scan, self.scan.tiles, self.scan.network
        N = scan.gain.shape[0]
        after = [trail.narrow(0, first + 1, m).flatten(0, 1) for trail in self.trail]
        cos, sin = scan.angles(start + first, m)
        queries, scale = unit(tiles.read(tiles.tokens(self.q, start + first, m)), cos, sin)
        y, kept = network.predict(queries.flatten(0, 1), after)
        y = y.unflatten(0, (m, N))
        unit_y, mean, rstd = scan.norm(y)
        dout = tiles.read(tiles.tokens(self.grad, start + first, m))
        self.dbias.add_(dout.sum((0, 2)).unsqueeze(1))
        self.dgain.add_(unit_y.mul_(dout).sum((0, 2)).unsqueeze(1))
        dy = norm_backward(dout * scan.gain, y, mean, rstd)
        dqueries, inside = network.predict_backward(dy.flatten(0, 1), kept, after)
        dqueries = dout.add_(dqueries.unflatten(0, (m, N)))
        tiles.write(tiles.tokens(self.dq, start + first, m), unit_backward(dqueries, queries, scale, cos, sin))
        return queries, dy, inside

    def training(self, start: int, first: int, m: int, queries: Tensor, dy: Tensor, inside: Kept) -> None:
        """Through each mini-batch's step, last one first, to k, v and eta: a = rates slope, slope = the inner loss's gradient at z."""
        scan, tiles, network = self.scan, self.scan.tiles, self.scan.network
        N = scan.gain.shape[0]
        before = [trail.narrow(0, first, m).flatten(0, 1) for trail in self.trail]
        keys, targets, rates, key_scale, target_scale = scan.prepare(start + first, m)
        z, kept = network.predict(keys.flatten(0, 1), before)
        z = z.unflatten(0, (m, N))
        unit_z, mean, rstd = scan.norm(z)
        miss = unit_z - targets
        square = scan.gain * scan.gain
        inner = miss * square
        slope = norm_backward(inner, z, mean, rstd)
        a = slope * rates
        overlap = (inner * unit_z).mean(-1, keepdim=True)
        da, dinner, dkeys = torch.empty_like(a), torch.empty_like(a), torch.empty_like(a)

        def of(i: int, pieces: list[Tensor]) -> list[Tensor]:
            return [piece.narrow(0, i * N, N) for piece in pieces]

        for i in reversed(steps(m)):
            network.collect_(self.dweights, dy[i], queries[i], of(i, inside))
            da_i, pending = network.train_backward(self.dweights, keys[i], of(i, kept), a[i], of(i, before))
            da[i].copy_(da_i)
            dslope = da_i.mul_(rates[i])
            # slope is LN's backward: rstd (inner - mean(inner) - unit_z overlap), linear in inner, and depends on z as well
            dinner_i = norm_backward(dslope, z[i], mean[i], rstd[i])
            dinner[i].copy_(dinner_i)
            along = (dslope * unit_z[i]).mean(-1, keepdim=True)
            dunit = dinner_i.mul_(square).sub_((dslope * overlap[i] + inner[i] * along).mul_(rstd[i]))
            stretch = dslope.mul_(slope[i]).mean(-1, keepdim=True).mul_(rstd[i])  # of z, through rstd
            dz = norm_backward(dunit, z[i], mean[i], rstd[i]).sub_(unit_z[i] * stretch)
            dkeys[i].copy_(
                network.step_backward_(self.dweights, dz, keys[i], of(i, kept), a[i], of(i, before), pending)
            )
        tiles.write(tiles.rates(self.deta, start + first, m), da.mul_(slope).sum(-1))
        self.dgain.add_(miss.mul_(dinner).sum((0, 2)).unsqueeze(1).mul_(scan.gain).mul_(2))
        dvalues = standard_backward(dinner.mul_(square).neg_(), targets, target_scale)
        tiles.write(tiles.tokens(self.dv, start + first, m), dvalues)
        dkeys = unit_backward(dkeys.sub_(dvalues), keys, key_scale, *scan.angles(start + first, m))
        tiles.write(tiles.tokens(self.dk, start + first, m), dkeys)
