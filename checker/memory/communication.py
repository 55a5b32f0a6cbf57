"""What a rank sends to others and gets from them in a training step, collective by collective.

An algorithm's own traffic (a ring's, a tree's) is not counted: `sent` are the bytes that the rank puts into the collectives, `received`
those that it has of them afterwards. The collectives are those of FSDP2 (tttdit.core.symbolic.sharding), of `clip_grad_norm_`, and those
that tensor-parallel ranks are recorded with (tttdit.core.symbolic.distributed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

from tttdit.checker.memory.prediction import Exchange
from tttdit.checker.memory.rank import groups_of
from tttdit.core.stage import Stage
from tttdit.core.symbolic.distributed.redistributing import ALL_GATHER, ALL_REDUCE, ALL_TO_ALL
from tttdit.core.symbolic.dtype import NAMES
from tttdit.core.symbolic.sharding import MASTER
from tttdit.core.symbolic.tape import Moment, Standing, Tape

# Operators of tensor-parallel ranks, and what they are called here. Processes on CPUs have no all-to-all: theirs is an all-gather.
CALLED = {ALL_GATHER: "all-gather", ALL_REDUCE: "all-reduce", ALL_TO_ALL: "all-to-all"}


@frozen
class _Among:
    """Ranks along one dimension of the mesh. `stride` is how far neighbours are apart in the numbering of all ranks."""

    dimension: str
    ranks: int
    stride: int

    def between_nodes(self, gpus_per_node: int | None) -> bool | None:
        """Whether they lie in more than one node; None where nobody says how large a node is."""
        return None if gpus_per_node is None else (self.ranks - 1) * self.stride >= gpus_per_node

    def exchange(
        self, name: str, sizes: Iterable[tuple[int, int]], purpose: str, stage: Stage, steps: int
    ) -> Iterator[Exchange]:
        """One kind of collective, of these bytes in and out, in so many micro-steps; none where there is only one rank, or none is made."""
        each = list(sizes)
        if self.ranks > 1 and each:
            yield Exchange(
                name=name,
                dimension=self.dimension,
                ranks=self.ranks,
                count=len(each) * steps,
                sent=sum(sent for sent, _ in each) * steps,
                received=sum(received for _, received in each) * steps,
                between_nodes=self.between_nodes(stage.hardware.gpus_per_node),
                purpose=purpose,
            )


def exchanges(tape: Tape, stage: Stage) -> tuple[Exchange, ...]:
    """The collectives of a whole step, its micro-steps together."""
    return tuple(_exchanges(tape, stage))


def _exchanges(tape: Tape, stage: Stage) -> Iterator[Exchange]:
    mesh, steps = stage.parallelism, stage.training.grad_accum_steps
    # ranks are numbered with tensor parallel innermost, then shards, then replicas, and nodes take them in turn
    shards = _Among("shards", mesh.dp_sharding, mesh.tp_sharding)
    tensor = _Among("tensor", mesh.tp_sharding, 1)
    replicas = _Among("replicas", mesh.dp_replicate, mesh.tp_sharding * mesh.dp_sharding)
    parameters = [one for one in tape.standing if one.kind == "parameter"]
    trained = [one for one in parameters if one.has_gradient]
    gathered = [_in(members, mesh.unsharded_dtype) for members in groups_of(parameters, tape.layers).values()]
    inner = [
        _in(members, mesh.unsharded_dtype) for group, members in groups_of(parameters, tape.layers).items() if group
    ]
    reduced = [_in(members, mesh.reduce_dtype) for members in groups_of(trained, tape.layers).values()]
    many = mesh.dp_sharding
    yield from shards.exchange("all-gather", [(n, n * many) for n in gathered], "parameters, forward", stage, steps)
    yield from shards.exchange(
        "all-gather", [(n, n * many) for n in inner], "parameters of layers, backward", stage, steps
    )
    yield from shards.exchange("reduce-scatter", [(n * many, n) for n in reduced], "gradients", stage, steps)
    yield from replicas.exchange("all-reduce", [(n, n) for n in reduced], "gradients", stage, steps)
    for (name, purpose), sizes in _among_heads(tape, tensor.ranks).items():
        yield from tensor.exchange(name, sizes, purpose, stage, steps)
    if trained:
        norms = len(trained) * MASTER.itemsize
        yield from shards.exchange("all-reduce", [(norms, norms)], "norms of gradients", stage, 1)
        if any(one.of_heads for one in trained):
            yield from tensor.exchange("all-reduce", [(norms, norms)], "norms of gradients", stage, 1)


def _among_heads(tape: Tape, ranks: int) -> Mapping[tuple[str, str], list[tuple[int, int]]]:
    """What tensor-parallel ranks send each other and get, collective by collective, by its name and what it is for."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    here = set(tape.exchanges)
    results = {one.made: one.nbytes for one in tape.allocations if one.made in here} if here else {}
    for at in tape.exchanges:
        moment, received = tape.moments[at], results[at]
        sent = received // ranks if moment.name == ALL_GATHER else received
        found[CALLED[moment.name], _purpose(moment, tape.layers)].append((sent, received))
    return found


def _purpose(moment: Moment, layers: str) -> str:
    if moment.phase == "forward":
        return "activations, forward"
    if moment.recomputing:
        return "activations, recomputed"
    # a layer sums its parameters' gradients when its backward is over, at its own place
    is_layer = moment.place.rpartition(".")[0] == layers
    return "gradients of parameters" if not moment.place or is_layer else "gradients of activations"


def _in(parameters: Iterable[Standing], dtype: str) -> int:
    """Bytes of a rank's part of these parameters in a type."""
    return sum(one.nbytes for one in parameters) // MASTER.itemsize * NAMES[dtype].itemsize
