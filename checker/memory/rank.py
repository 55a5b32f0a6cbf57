"""The whole step of one rank as a tape: what stands before it, forward and backward, clipping, and the optimizer's step.

The step is that of docs/memory.md, "One rank", with FSDP2 (tttdit.core.symbolic.sharding), `torch.nn.utils.clip_grad_norm_` and
`torch.optim.AdamW(foreach=True)` of PyTorch 2.13.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import prod

from attrs import evolve

from tttdit.core.parameter_groups import ParameterGroup, group_of
from tttdit.core.stage import Stage
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.dtype import NAMES
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.lazy import Lazy
from tttdit.core.symbolic.sharding import MASTER, Sharding
from tttdit.core.symbolic.tape import Allocation, Moment, Phase, Standing, Tape

MOMENTS = ("exp_avg", "exp_avg_sq")  # AdamW's, of a parameter's size each
TENSOR = "tp"  # the stage's dimension: tensor-parallel ranks
CHUNK = 65536  # kChunkSize of aten/src/ATen/native/cuda/MultiTensorApply.cuh: numbers that one block of a kernel takes


def sharding_of(stage: Stage) -> Sharding:
    """How tensor parallelism and FSDP2 spread a stage's model."""
    mesh = stage.parallelism
    return Sharding(
        replicas=mesh.dp_replicate,
        shards=mesh.dp_sharding,
        tensor=Dim(mesh.tp_sharding, Formula.symbol(TENSOR)) if mesh.tp_sharding > 1 else 1,
        reduce_dtype=mesh.reduce_dtype,
        accumulates=stage.training.grad_accum_steps > 1,
    )


def step_of_rank(tape: Tape, stage: Stage, device: str) -> Tape:
    """The tape with the optimizer's state before it, and with clipping and the optimizer's step after it.

    `tape` is that of the last micro-step. Where there were others before it, their gradients stand there too.
    """
    trained = [one for one in tape.standing if one.has_gradient]
    standing = [*tape.standing, *_optimizer_state(trained, stage, device)]
    if stage.training.grad_accum_steps > 1:
        standing += _sharded_gradients(trained, tape.layers)
    after = _After(tape)
    if trained:
        _clip(after, trained, stage, device)
        _optimize(after, trained, stage, device)
    return evolve(
        tape,
        standing=tuple(standing),
        moments=_Chained(tape.moments, after.moments),
        allocations=(*tape.allocations, *after.allocations),
        high=[*tape.high, *(moment.high for moment in after.moments)],
        passes=len(tape.moments),
    )


class _Chained(Lazy[Moment]):
    """Moments behind others, not copied: a tape's are many, and made as they are asked for."""

    def __init__(self, first: Sequence[Moment], second: Sequence[Moment]) -> None:
        self._first, self._second = first, second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def item(self, at: int) -> Moment:
        """One of the first, or behind them of the second."""
        return self._first[at] if at < len(self._first) else self._second[at - len(self._first)]


def _optimizer_state(trained: Iterable[Standing], stage: Stage, device: str) -> list[Standing]:
    """AdamW's state (torch/optim/adam.py, `Adam._init_group`), and the moving average of the weights where there is one.

    The counts of steps are tensors in main memory, whatever the device.
    """
    kept = MOMENTS if stage.training.average_decay is None else (*MOMENTS, "average")
    state: list[Standing] = []
    for one in trained:
        if device == "cpu":
            state.append(Standing(f"{one.name}.step", "optimizer", (), "float32", NAMES["float32"].itemsize))
        state += [evolve(one, name=f"{one.name}.{each}", kind="optimizer", has_gradient=False) for each in kept]
    return state


def groups_of(parameters: Iterable[Standing], layers: str) -> dict[str, list[Standing]]:
    """The parameters that are gathered, and whose gradients are reduced, together: of each of the layers, and the rest under "".

    See `fully_shard` in tttdit.core.runtime.sharding.
    """
    found: dict[str, list[Standing]] = defaultdict(list)
    prefix = f"{layers}."
    for one in parameters:
        in_layer = layers and one.name.startswith(prefix)
        found[prefix + one.name[len(prefix) :].partition(".")[0] if in_layer else ""].append(one)
    return found


def _sharded_gradients(trained: Iterable[Standing], layers: str) -> list[Standing]:
    """One tensor a group (`foreach_reduce` of torch/distributed/fsdp/_fully_shard/_fsdp_collectives.py)."""
    made = []
    for group, members in groups_of(trained, layers).items():
        nbytes = sum(one.nbytes for one in members)
        numbers = nbytes // MASTER.itemsize
        made.append(
            Standing(f"{group}.gradients" if group else "gradients", "gradient", (numbers,), MASTER.name, nbytes)
        )
    return made


class _After:
    """Moments behind a tape's."""

    def __init__(self, tape: Tape) -> None:
        self.moments: list[Moment] = []
        self.allocations: list[Allocation] = []
        self._first = len(tape.moments)
        self._number = len(tape.allocations)
        self._live = sum(one.nbytes for one in tape.allocations if one.gone is None)
        self._ending: Counter[int] = Counter()  # bytes that are gone at a moment

    def ran(
        self, name: str, phase: Phase, made: Iterable[tuple[int, ...]] = (), lives: int | None = 1, workspace: int = 0
    ) -> None:
        """An operator that makes float32 tensors of these shapes, which live for so many moments; None: to the end."""
        at = self._first + len(self.moments)
        self._live -= self._ending[at]
        for shape in made:
            nbytes = MASTER.itemsize * prod(map(int, shape))
            number = self._number + len(self.allocations)
            gone = None if lives is None else at + lives
            self.allocations.append(Allocation(shape, MASTER.name, nbytes, at, gone, "workspace", number))
            self._live += nbytes
            if gone is not None:
                self._ending[gone] += nbytes
        self.moments.append(Moment(name, phase, "", "", False, self._live, workspace))


def _clip(after: _After, trained: Sequence[Standing], stage: Stage, device: str) -> None:
    """`clip_grad_norm_` (torch/nn/utils/clip_grad.py, `_get_total_norm`, `_clip_grads_with_norm_`).

    A number a gradient, in few tensors. Where gradients are shared out over ranks, the squares of their norms are summed in one all-reduce,
    first over the shards, then over tensor-parallel ranks; there a norm of what all these have is divided among them
    (`_NormPartial` of torch/distributed/tensor/_ops/_math_ops.py). The gradients are scaled in place.
    """
    phase: Phase = "gradient clipping"
    norms = [(len(trained),)]
    among_heads = any(one.of_heads for one in trained)
    sums = (stage.parallelism.dp_sharding > 1) + among_heads
    divided = sum(not one.of_heads for one in trained) if among_heads else 0
    workspace = _norm_workspace(trained) if device == "cuda" else 0
    after.ran("_foreach_norm", phase, [() for _ in trained], divided + 4 * sums + 3, workspace)
    for number in range(divided):
        after.ran("div", phase, [()], divided - number + 1)
    after.ran("stack", phase, norms, 4 * sums + 2)
    for number in range(sums):
        after.ran("pow", phase, norms, 4)
        after.ran("all_reduce", phase, norms, 3)
        after.ran("_wrap_tensor_autograd", phase)  # which waits for it
        after.ran("pow", phase, norms, 2 if number == sums - 1 else 5)
    after.ran("linalg_vector_norm", phase, [()], None)  # which the caller keeps
    after.ran("add", phase, [()], 3)
    after.ran("reciprocal", phase, [()], 2)
    after.ran("mul", phase, [()], 3)
    after.ran("clamp", phase, [()], 2)
    after.ran("_foreach_mul_", phase)


def _norm_workspace(trained: Sequence[Standing]) -> int:
    """What `_foreach_norm` allocates on CUDA: a float32 for each chunk of each tensor, all as many as the longest one has.

    aten/src/ATen/native/cuda/ForeachReduceOp.cu, `foreach_tensor_norm_cuda`.
    """
    longest = max(one.nbytes // MASTER.itemsize for one in trained)
    return len(trained) * -(-longest // CHUNK) * MASTER.itemsize


def _optimize(after: _After, trained: Sequence[Standing], stage: Stage, device: str) -> None:
    """`AdamW.step` with `foreach` (torch/optim/adam.py, `_multi_tensor_adam`), group by group of parameters.

    Everything is in place but the root of the second moments, which is as large as the group's parameters.
    """
    phase: Phase = "optimizer step"
    groups: dict[ParameterGroup, list[Standing]] = defaultdict(list)
    for one in trained:
        groups[group_of(stage, one.name, len(one.shape))].append(one)
    for group, members in groups.items():
        after.ran("_foreach_add_", phase, [()] if device == "cpu" else ())  # the number of steps, in main memory
        if group.decays and stage.optimizer.weight_decay:
            after.ran("_foreach_mul_", phase)
        for name in ("_foreach_lerp_", "_foreach_mul_", "_foreach_addcmul_"):
            after.ran(name, phase)
        after.ran("_foreach_sqrt", phase, [one.shape for one in members], 4)
        for name in ("_foreach_div_", "_foreach_add_", "_foreach_addcdiv_"):
            after.ran(name, phase)
    if stage.training.average_decay is not None:
        after.ran("_foreach_lerp_", phase)
