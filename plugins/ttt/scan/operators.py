"""The scan of test-time training and its backward, for any network that a mixer trains.

The backward replays one group of mini-batches at a time from the fast weights that the forward stored at its start, keeps what its own
steps need of that, and goes back through them. So what it holds depends on the group's size and not on the sequence's.

The inner loss of a mini-batch is 1/2 |LN_g(f(k)) - (v - k)|^2 with the target v - k = gamma u + beta, u standardised. Its beta
cancels, so that LN_g(f(k)) - (v - k) = gamma (LN(f(k)) - u). Learning rates stand in front of its gradient row by row, as LN's backward
leaves rows apart, so they may as well go in with gamma^2: pull = rates gamma^2.

Shapes: B batch, A heads, N = B A, K head width, b mini-batch, m mini-batches of a tile. Fast weights, norms and sums are float32,
for float64 inputs float64.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor

from tttdit.core.loops import steps
from tttdit.plugins.ttt.tiles.operators import Tiles, standard_, standard_backward_, unit_, unit_backward_

Weights = list[Tensor]
Kept = list[Tensor]

# The forward prepares so many tokens at once, rounded up to whole mini-batches: work that waits for no step keeps a machine busy.
FORWARD_TILE_TOKENS = 1024


class Network(ABC):
    """What a mixer trains: a map f from K to K numbers a head, for M heads at once (of one mini-batch, or of several).

    x, z and their gradients are [M, b, K]; weights and their gradients are lists of [M, ., .]. `hidden` is what `predict` returned with z.
    Methods whose names end in an underscore write into the tensors of their first argument. The backward answers the queries of
    `tile_tokens` tokens at once, rounded up to whole mini-batches.
    """

    tile_tokens: ClassVar[int]

    @abstractmethod
    def kept_widths(self, K: int) -> list[int]:
        """The last dimensions of the tensors [M, b, .] that `learn_` keeps of a step for the backward."""

    @abstractmethod
    def predict(self, x: Tensor, weights: Weights) -> tuple[Tensor, Any]:
        """z = f(x), and what the other methods need of its inside."""

    @abstractmethod
    def predict_backward(self, dz: Tensor, hidden: Any, weights: Weights) -> tuple[Tensor, Kept]:
        """d x, and what `collect_` needs besides x and dz for the weights' gradients, [M, b, .] each."""

    @abstractmethod
    def collect_(self, grads: Weights, x: Tensor, dz: Tensor, inside: Kept) -> None:
        """Adds the weights' gradients of one `predict`."""

    @abstractmethod
    def learn_(self, weights: Weights, x: Tensor, hidden: Any, a: Tensor, kept: Kept | None) -> None:
        """A step of gradient descent; a [M, b, K] is d loss / d z, each row times its learning rate.

        What `step_backward_` needs of `predict` and of this step goes into `kept`, if there is to be a backward.
        """

    @abstractmethod
    def step_backward_(
        self, grads: Weights, x: Tensor, kept: Kept, a: Tensor, weights: Weights, dz_of: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """d x of `predict` and `learn_`, whose a depends on z: `dz_of` takes d a to d z, once.

        `weights` are those before the step; `grads`, those of the weights after it, become the gradients of the weights before it.
        """


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
        self.tiles = Tiles(k, norm_weight.shape[0], mini_batch_size)
        self.group = min(group, self.tiles.count)
        self.gain = self.tiles.for_each_sequence(norm_weight.unsqueeze(1))
        self.bias = self.tiles.for_each_sequence(norm_bias.unsqueeze(1))

    def norm(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """LN(z), without gain and bias; mean and 1/deviation of the rows of z."""
        return torch.native_layer_norm(z, z.shape[-1:], None, None, self.norm_eps)

    def learn_(self, weights: Weights, tile: "Tile", i: int, kept: Kept | None = None) -> Tensor:
        """A tile's i-th step of gradient descent, in place. Returns the prediction z that it started from."""
        z, hidden = self.network.predict(tile.keys[i], weights)
        unit_z, mean, rstd = self.norm(z)
        a = norm_backward(unit_z.sub_(tile.targets[i]).mul_(tile.pull[i]), z, mean, rstd)
        self.network.learn_(weights, tile.keys[i], hidden, a, kept)
        return z


def norm_backward(grad: Tensor, z: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
    """d z from the gradient of LN(z): rstd (grad - mean(grad) - LN(z) mean(grad LN(z))), with means over each row."""
    wanted = [True, False, False]  # of input, weight and bias; there is no weight and no bias
    dz, _, _ = torch.ops.aten.native_layer_norm_backward(grad, z, z.shape[-1:], mean, rstd, None, None, wanted)
    return dz


class Tile:
    """What a scan's steps read of m mini-batches behind the first ones.

    Keys, targets u and pull [m, N, b, K], rates [m, N, b, 1]; the scales that keys and targets were divided by; the rotation.
    """

    def __init__(self, scan: Scan, first: int, m: int) -> None:
        tiles = scan.tiles
        self.turn = tiles.turn(scan.cos, scan.sin, first, m)
        self.keys, self.key_scale = unit_(tiles.read(tiles.tokens(scan.k, first, m)), self.turn)
        values = tiles.read(tiles.tokens(scan.v, first, m))
        self.targets, self.target_scale = standard_(values.sub_(self.keys))
        self.rates = tiles.read(tiles.rates(scan.eta, first, m)).unsqueeze(-1)
        self.pull = (scan.gain * scan.gain) * self.rates


class InnerLoss:
    """The gradient a [m, N, b, K] of a tile's inner losses at its predictions z, times the rates; and the backward of that.

    a is LN's backward of inner = pull (LN(z) - u), so it depends on z through `inner`, and in the way in which LN's backward does:

        d inner = LN's backward of d a, for it is its own transpose
        d z = LN's backward of pull d inner, - rstd (d inner mean(inner LN(z)) + a mean(d a LN(z)) + LN(z) mean(d a a))
    """

    def __init__(self, scan: Scan, z: Tensor, tile: Tile) -> None:
        self.z, self.pull = z, tile.pull
        self.unit_z, self.mean, self.rstd = scan.norm(z)
        self.miss = self.unit_z - tile.targets
        inner = self.miss * tile.pull
        self.a = norm_backward(inner, z, self.mean, self.rstd)
        self.dinner = torch.empty_like(z)
        self.share = self.rstd / -z.shape[-1]
        self.overlap = inner.mul_(self.unit_z).sum(-1, keepdim=True).mul_(self.share)

    def backward(self, i: int, da: Tensor) -> Tensor:
        """d z of the i-th mini-batch; its d inner goes into `dinner`."""
        statistics = self.z[i], self.mean[i], self.rstd[i]
        unit_z, a, share = self.unit_z[i], self.a[i], self.share[i]
        dinner = self.dinner[i].copy_(norm_backward(da, *statistics))
        along = (da * unit_z).sum(-1, keepdim=True).mul_(share)
        stretch = da.mul_(a).sum(-1, keepdim=True).mul_(share)
        dz = norm_backward(dinner * self.pull[i], *statistics)
        return dz.addcmul_(dinner, self.overlap[i]).addcmul_(a, along).addcmul_(unit_z, stretch)


def scan_forward(scan: Scan, q: Tensor, initial: Weights) -> list[Tensor]:
    """The output [B, L, A K] and, for every fast weight, its values at the start of each group [groups, N, ., .]."""
    tiles, group = scan.tiles, scan.group
    weights = [tiles.for_each_sequence(weight) for weight in initial]
    states = [weight.new_empty((-(-tiles.count // group), *weight.shape)) for weight in weights]
    out = q.new_empty(q.shape)
    size = -(-FORWARD_TILE_TOKENS // tiles.mini_batch_size)
    with own_types(q):
        for at in steps(-(-tiles.count // size)):
            first = at * size
            forward_tile(scan, q, first, min(size, tiles.count - first), weights, states, out)
    return [out, *states]


def forward_tile(scan: Scan, q: Tensor, first: int, m: int, weights: Weights, states: Weights, out: Tensor) -> None:
    """m mini-batches behind the first ones: trains `weights`, stores those at the start of a group, writes the output."""
    tiles, group = scan.tiles, scan.group
    tile = Tile(scan, first, m)
    queries, _ = unit_(tiles.read(tiles.tokens(q, first, m)), tile.turn)
    outputs = torch.empty_like(queries)
    for i in steps(m):
        if (first + i) % group == 0:
            for state, weight in zip(states, weights, strict=True):
                state[(first + i) // group].copy_(weight)
        scan.learn_(weights, tile, i)
        outputs[i].copy_(scan.network.predict(queries[i], weights)[0])
    normal, _, _ = scan.norm(outputs)
    tiles.write(tiles.tokens(out, first, m), normal.mul_(scan.gain).add_(scan.bias).add_(queries))


def scan_backward(scan: Scan, q: Tensor, states: Weights, grad: Tensor) -> list[Tensor]:
    """Gradients of q, k, v, eta, norm weight, norm bias and of every fast weight, in this order; the latter summed over the batch."""
    with own_types(q):
        return Backward(scan, q, states, grad).run()


def own_types(q: Tensor) -> AbstractContextManager[None]:
    """Without autocast, which would multiply fast weights in a narrower type than they are kept in."""
    device = q.device.type
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


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
    """The backward of a scan: what it writes, and what it holds of the group that it is in.

    A group is a tile of its own: `trail` has the fast weights before each of its mini-batches and after the last, `z` what was
    predicted from the keys, `kept` what the network kept of each step.
    """

    def __init__(self, scan: Scan, q: Tensor, states: Weights, grad: Tensor) -> None:
        self.scan, self.q, self.states, self.grad = scan, q, states, grad
        self.dq, self.dk, self.dv = q.new_empty(q.shape), q.new_empty(q.shape), q.new_empty(q.shape)
        self.deta = scan.eta.new_empty(scan.eta.shape)
        self.dgain, self.dbias = torch.zeros_like(scan.gain), torch.zeros_like(scan.bias)
        self.dweights = [torch.zeros_like(state[0]) for state in states]
        tiles = scan.tiles
        rows = (scan.group, tiles.batch * tiles.heads, tiles.mini_batch_size)
        self.trail = [state.new_empty((scan.group + 1, *state.shape[1:])) for state in states]
        self.z = states[0].new_empty((*rows, tiles.head_width))
        self.kept = [states[0].new_empty((*rows, width)) for width in scan.network.kept_widths(tiles.head_width)]

    def run(self) -> list[Tensor]:
        """See `scan_backward`."""
        tiles, group = self.scan.tiles, self.scan.group
        for g in reversed(steps(self.states[0].shape[0])):
            self.group(g, min(group, tiles.count - g * group))
        parameters = [self.dgain.squeeze(1), self.dbias.squeeze(1), *self.dweights]
        return [self.dq, self.dk, self.dv, self.deta, *(tiles.of_all_sequences(grad) for grad in parameters)]

    def group(self, g: int, m: int) -> None:
        """The g-th group, of m mini-batches: replayed, then back through its steps and the answers after them."""
        scan, tiles = self.scan, self.scan.tiles
        first = g * scan.group
        tile = Tile(scan, first, m)
        self.replay(g, m, tile)
        queries, query_scale = unit_(tiles.read(tiles.tokens(self.q, first, m)), tile.turn)
        dqueries = tiles.read(tiles.tokens(self.grad, first, m))  # through the residual; the rest is added in `answers`
        self.dbias.add_(of_each_head(dqueries))
        loss = InnerLoss(scan, self.z.narrow(0, 0, m), tile)
        dkeys = torch.empty_like(tile.keys)
        size = -(-scan.network.tile_tokens // tiles.mini_batch_size)
        for at in reversed(steps(-(-m // size))):
            self.through_steps(at * size, min(size, m - at * size), tile, queries, dqueries, loss, dkeys)
        tiles.write(tiles.tokens(self.dq, first, m), unit_backward_(dqueries, queries, query_scale, tile.turn))
        self.prepared(first, m, tile, loss, dkeys)

    def replay(self, g: int, m: int, tile: Tile) -> None:
        """The m steps of the group, once more; fills in `trail`, `z` and `kept`."""
        for trail, state in zip(self.trail, self.states, strict=True):
            trail[0].copy_(state[g])
        for i in steps(m):
            after = [trail[i + 1] for trail in self.trail]
            for trail, weight in zip(self.trail, after, strict=True):
                weight.copy_(trail[i])
            self.z[i].copy_(self.scan.learn_(after, tile, i, [kept[i] for kept in self.kept]))

    def through_steps(
        self, start: int, count: int, tile: Tile, queries: Tensor, dqueries: Tensor, loss: InnerLoss, dkeys: Tensor
    ) -> None:
        """Back through `count` of the group's steps, with the answers after each: fills in `dkeys`, and adds to `dqueries`."""
        some = slice(start, start + count)
        dy, inside = self.answers(start, queries[some], dqueries[some])
        for i in reversed(steps(count)):
            j = start + i
            self.scan.network.collect_(self.dweights, queries[j], dy[i], [x[i] for x in inside])
            dkeys[j].copy_(self.step(j, tile, loss))

    def answers(self, start: int, queries: Tensor, dqueries: Tensor) -> tuple[Tensor, Kept]:
        """Through LN_g(f(q)), with the weights after each mini-batch's step; `dqueries`, d output, gets what comes to q this way.

        Returns the gradient of f(q), and what `collect_` needs for the weights' gradients, whose turn has not come yet.
        """
        scan, (m, N, _, _) = self.scan, queries.shape
        after = [trail.narrow(0, start + 1, m).flatten(0, 1) for trail in self.trail]
        y, hidden = scan.network.predict(queries.flatten(0, 1), after)
        unit_y, mean, rstd = scan.norm(y)
        self.dgain.add_(of_each_head(unit_y.unflatten(0, (m, N)).mul_(dqueries)))
        dy = norm_backward((dqueries * scan.gain).flatten(0, 1), y, mean, rstd)
        dx, inside = scan.network.predict_backward(dy, hidden, after)
        dqueries.add_(dx.unflatten(0, (m, N)))
        return dy.unflatten(0, (m, N)), [x.unflatten(0, (m, N)) for x in inside]

    def step(self, i: int, tile: Tile, loss: InnerLoss) -> Tensor:
        """Through the group's i-th step: d keys, as far as they are read by it."""
        before, kept = [trail[i] for trail in self.trail], [kept[i] for kept in self.kept]

        def dz_of(da: Tensor) -> Tensor:
            return loss.backward(i, da)

        return self.scan.network.step_backward_(self.dweights, tile.keys[i], kept, loss.a[i], before, dz_of)

    def prepared(self, first: int, m: int, tile: Tile, loss: InnerLoss, dkeys: Tensor) -> None:
        """Through inner = pull (LN(z) - u) to eta and v, and to k with what it got from the steps."""
        tiles, gain = self.scan.tiles, self.scan.gain
        dpull = loss.miss.mul_(loss.dinner)
        tiles.write(tiles.rates(self.deta, first, m), (dpull * (gain * gain)).sum(-1))
        self.dgain.add_(of_each_head(dpull.mul_(tile.rates)).mul_(gain).mul_(2))
        dvalues = standard_backward_(loss.dinner.mul_(tile.pull).neg_(), tile.targets, tile.target_scale)
        tiles.write(tiles.tokens(self.dv, first, m), dvalues)
        dkeys = unit_backward_(dkeys.sub_(dvalues), tile.keys, tile.key_scale, tile.turn)
        tiles.write(tiles.tokens(self.dk, first, m), dkeys)


def of_each_head(x: Tensor) -> Tensor:
    """x [m, N, b, K] summed over all tokens of a head: [N, 1, K]."""
    return x.sum(2).sum(0).unsqueeze(1)
