"""A record of one training step: every operator, and every allocation with its formula and its life.

A tape is what all questions about memory are asked of: what is saved, where the peak stands and what it consists of, how bytes go up and
down over the step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import field, frozen

from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.lines import IsModule
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Meter, Storage

if TYPE_CHECKING:
    from tttdit.core.symbolic.library import CustomOperator
    from tttdit.core.symbolic.operands import Operands
    from tttdit.core.symbolic.tensor import Tensor

StandingKind: TypeAlias = Literal["parameter", "buffer", "input", "gradient", "optimizer"]
Phase: TypeAlias = Literal["forward", "backward", "gradient clipping", "optimizer step"]
# What a tensor is for. Workspace lives inside an operator only; buffers belong to communication.
Kind: TypeAlias = Literal["activations", "gradients", "workspace", "buffers"]


@frozen
class Moment:
    """One operator of the step, when it has returned: bytes live then, and its workspace, which lived beside them while it ran.

    `place` is the path of the module at work, `region` that of the innermost region, "" outside of all; `recomputing` says whether that
    region is being replayed. `line` is the module's line, "" where nobody asked.
    """

    name: str
    phase: Phase
    place: str
    region: str
    recomputing: bool
    live: int
    workspace: int = 0
    flops: int = 0
    line: str = ""

    @property
    def high(self) -> int:
        """The most bytes that lived while it ran."""
        return self.live + self.workspace

    def told(self) -> str:
        """`backward of layers.41, recomputing attention`."""
        where = f"{self.phase} of {self.place}" if self.place else self.phase
        region = self.region.rpartition(".")[2]
        return f"{where}, recomputing {region.replace('_', ' ')}" if self.recomputing and region else where


@frozen
class Allocation:
    """Memory that the step allocates. It lives from the moment `made` (an index) until `gone`, where it lives no more; None: to the end."""

    shape: tuple[int, ...]  # of `Dim`s, where sizes follow from the spec
    dtype: str
    nbytes: int
    made: int
    gone: int | None
    kind: Kind
    number: int  # in the order in which they are made

    @property
    def formula(self) -> Formula:
        """Its bytes over the stage's dimensions."""
        formula = Formula.number(self.nbytes // max(1, prod(map(int, self.shape))))
        for size in self.shape:
            formula = formula * formula_of(size)
        return formula


@frozen
class Standing:
    """Memory that is there before the step: a parameter, a buffer, an input; a gradient of earlier micro-steps, the optimizer's state.

    Tensors that share memory are one, under the first name.
    """

    name: str
    kind: StandingKind
    shape: tuple[int, ...]
    dtype: str
    nbytes: int
    has_gradient: bool = False  # after the step
    of_heads: bool = False  # each of several tensor-parallel ranks has its own part


@frozen
class Task:
    """Floating-point operations of one moment: a formula for these shapes, or a custom operator's operands; so many times."""

    of: Callable[..., int] | Operands
    shapes: tuple[tuple[int, ...], ...]
    times: int


@frozen
class Tape:
    """One training step. `forward` is the number of moments until the loss has been computed.

    `layers` is the path of the list of the model's layers that are alike, "" where there is no such list. `passes` is the number of moments
    of forward and backward, where others follow; the peak is theirs. `exchanges` are the moments of those at which tensor-parallel ranks
    send each other something.
    """

    standing: tuple[Standing, ...]
    moments: Sequence[Moment]
    allocations: Sequence[Allocation]
    high: Sequence[int] = field(repr=False)  # of every moment the most bytes that lived while it ran
    forward: int
    saved_bytes: int  # live when the loss has been computed
    flops: int
    recompute_flops: int
    layers: str = ""
    tasks: Mapping[int, tuple[Task, ...]] = field(
        factory=dict, repr=False
    )  # by the moment; of a step that was recorded whole
    passes: int | None = None
    exchanges: Sequence[int] = ()

    @cached_property
    def peak_at(self) -> int:
        """The moment of the peak."""
        return self.high.index(self.peak_bytes) if self.high else 0

    @cached_property
    def highest_at(self) -> int:
        """The moment of the whole step at which most bytes live."""
        return self.high.index(max(self.high)) if self.high else 0

    @cached_property
    def peak_bytes(self) -> int:
        """The most bytes that live at a time over forward and backward."""
        return max(self.high[: self.passes], default=0)

    def live_at(self, at: int) -> list[Allocation]:
        """What lives at a moment."""
        return [one for one in self.allocations if one.made <= at and (one.gone is None or one.gone > at)]

    def parts_at(self, at: int) -> Mapping[Kind, int]:
        """Bytes by kind at a moment, its workspace included."""
        parts: Counter[Kind] = Counter()
        for one in self.live_at(at):
            parts[one.kind] += one.nbytes
        if self.moments[at].workspace:
            parts["workspace"] += self.moments[at].workspace
        return parts


class Recorder(Meter):
    """A meter that makes a tape. With `is_module` its moments have lines."""

    def __init__(self, *, is_module: IsModule | None = None) -> None:
        super().__init__(is_module=is_module)
        self._moments: list[Moment] = []
        self._storages: list[tuple[tuple[int, ...], str, int, int]] = []  # shape, dtype, bytes, made
        self._gone: list[int | None] = []
        self._kinds: dict[int, Kind] = {}
        self._forward = 0
        self._worked = 0
        self._works: list[Task] = []  # of the operator that returns next
        self._tasks: dict[int, tuple[Task, ...]] = {}

    def made(self, storage: Storage) -> None:
        """Memory has been allocated: it is there at the next moment."""
        super().made(storage)
        storage.number = len(self._gone)
        self._storages.append((storage.shape, storage.dtype.name, storage.nbytes, len(self._moments)))
        self._gone.append(None)

    def gone(self, storage: Storage) -> None:
        """Nothing holds it any more: it is gone at the next moment."""
        super().gone(storage)
        self._gone[storage.number] = len(self._moments)

    def worked(self, formula: Callable[..., int], shapes: Sequence[Sequence[int]], times: int) -> None:
        """The operator that returns next does the floating-point operations that a formula finds for these shapes, so many times."""
        super().worked(formula, shapes, times)
        self._works.append(Task(formula, tuple(map(tuple, shapes)), times))

    def ran(self, operator: CustomOperator, arguments: Sequence[Any], times: int) -> None:
        """A custom operator that counts as one returns next."""
        from tttdit.core.symbolic.operands import Operands

        super().ran(operator, arguments, times)
        self._works.append(Task(Operands.of(operator, arguments), (), times))

    def is_for(self, kind: Kind, tensors: Iterable[Tensor]) -> None:
        """What these tensors' memory is for."""
        for tensor in tensors:
            if tensor.storage.meter is self:
                self._kinds[tensor.storage.number] = kind

    def begin_backward(self) -> None:
        """The loss has been computed."""
        super().begin_backward()
        self._forward = len(self._moments)

    def sample(self, name: str, results: Iterable[Tensor]) -> None:
        """One operator has returned."""
        if self.silent:
            return
        line, _ = self.lines()
        self._moments.append(
            Moment(
                name,
                "backward" if self._forward else "forward",
                STATE.place,
                STATE.region,
                STATE.recomputing,
                self.now,
                self.workspace,
                self.flops - self._worked,
                line,
            )
        )
        self._worked = self.flops
        if self._works:
            self._tasks[len(self._moments) - 1] = tuple(self._works)
            self._works.clear()
        super().sample(name, results)

    def tape(self, standing: tuple[Standing, ...] = (), layers: str = "") -> Tape:
        """The record so far, of a step before which there was this; see `Tape`."""
        allocations = tuple(
            Allocation(shape, dtype, nbytes, made, gone, self._kinds.get(number, "activations"), number)
            for number, ((shape, dtype, nbytes, made), gone) in enumerate(zip(self._storages, self._gone, strict=True))
        )
        return Tape(
            standing,
            tuple(self._moments),
            allocations,
            [moment.high for moment in self._moments],
            self._forward or len(self._moments),
            self.saved if self._forward else self.now,
            self.flops,
            sum(moment.flops for moment in self._moments if moment.recomputing),
            layers,
            self._tasks,
        )
