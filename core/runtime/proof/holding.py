"""What one world still holds when the other has let it go.

Bytes differ where something dies too late or too early, long after the line that decided it. So both steps are made once more, up to the
operator where the bytes part, and what lives then is compared by the operator that made it.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import torch
from attrs import frozen

from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.proof.comparing import SILENT
from tttdit.core.runtime.proof.steps import real_step
from tttdit.core.stage import Stage
from tttdit.core.symbolic.autograd import Node
from tttdit.core.symbolic.checkpoint import Frame, Holder
from tttdit.core.symbolic.stepping import is_module, symbolic_step
from tttdit.core.symbolic.storage import Meter, Storage
from tttdit.core.symbolic.tensor import Tensor


class _Reached(BaseException):
    """The operator where the step is to end; no module's own `except` takes it."""


@frozen
class Holding:
    """Memory that only one world holds at some moment: the operator that made it, and the node that holds it, where one does."""

    excess: int  # bytes held in the symbolic world and not on torch; negative the other way round
    made_by: int  # the operator's number
    node: str = ""
    line: str = ""  # the module's line that made the node
    rule: str = ""


class RodUntil(LiveBytes):
    """Counts up to an operator, and ends the step there; `held` then has the living bytes by the operator that made them."""

    def __init__(self, existing: Iterable[torch.Tensor] = (), *, until: int) -> None:
        super().__init__(existing)
        self.held: dict[int, int] = {}
        self._until = until
        self._heard = 0
        self._made: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = super().__torch_dispatch__(func, types, args, kwargs)
        if self.log[-1].name not in SILENT:
            self._heard += 1
        if self._heard > self._until:
            for key, (nbytes, _) in self._live.items():
                made = self._made.get(key, -1)
                self.held[made] = self.held.get(made, 0) + nbytes
            raise _Reached
        return result

    def _see(self, tensor: torch.Tensor) -> None:
        key = tensor.untyped_storage()._cdata
        if key not in self._live:
            self._made[key] = self._heard
        super()._see(tensor)


class MeterUntil(Meter):
    """The same in the symbolic world; `holdings` has what is held otherwise than on torch."""

    def __init__(self, *, until: int, on_torch: dict[int, int]) -> None:
        super().__init__(log=True, is_module=is_module)
        self.holdings: list[Holding] = []
        self._until = until
        self._on_torch = on_torch
        self._heard = 0
        self._made: WeakKeyDictionary[Storage, int] = WeakKeyDictionary()

    def sample(self, name: str, results: Any) -> None:
        """One operator has returned; that to stop at ends the step."""
        super().sample(name, results)
        for result in results:
            if result.storage.meter is self:
                self._made.setdefault(result.storage, self._heard)
        if name not in SILENT:
            self._heard += 1
        if self._heard > self._until:
            self._compare()
            raise _Reached

    def _compare(self) -> None:
        held: dict[int, list[Storage]] = defaultdict(list)
        for storage, made in self._made.items():
            held[made].append(storage)
        for made in sorted({*held, *self._on_torch}):
            excess = sum(storage.nbytes for storage in held[made]) - self._on_torch.get(made, 0)
            if excess > 0:
                self.holdings.append(_held(excess, made, held[made]))
            elif excess < 0:
                self.holdings.append(Holding(excess, made))


def holdings(stage: Stage, dtype: str, operator: int) -> list[Holding]:
    """What the worlds hold otherwise than each other after this operator of the stage's step, the largest first."""
    rods: list[RodUntil] = []

    def rod(existing: Iterable[torch.Tensor]) -> RodUntil:
        rods.append(RodUntil(existing, until=operator))
        return rods[0]

    with suppress(_Reached):
        real_step(stage, dtype, rod)
    meter = MeterUntil(until=operator, on_torch=rods[0].held)
    with suppress(_Reached):
        symbolic_step(stage, dtype, meter)
    return sorted(meter.holdings, key=lambda holding: -abs(holding.excess))


def _held(excess: int, made: int, storages: list[Storage]) -> Holding:
    """With the node that holds one of these memories."""
    node = _node_holding(storages)
    return Holding(excess, made) if node is None else Holding(excess, made, node.name, node.line, node.rule)


def _node_holding(storages: list[Storage]) -> Node | None:
    """The last node of the graph that keeps one of these memories for its backward."""
    objects = gc.get_objects()
    recomputed = {
        handle: tensor for frame in objects if type(frame) is Frame for handle, tensor in frame.recomputed.items()
    }
    nodes = [node for node in objects if type(node) is Node and node.saved is not None]
    for node in sorted(nodes, key=lambda node: -node.sequence):
        if any(tensor.storage in storages for tensor in _kept(node, recomputed)):
            return node
    return None


def _kept(node: Node, recomputed: dict[Any, Tensor]) -> Iterator[Tensor]:
    """What a node has saved, be it made again only, and what its backward closes over."""
    values = [saved.value for saved in node.saved.values()]
    values += [cell.cell_contents for cell in getattr(node.backward, "__closure__", None) or ()]
    for value in values:
        tensor = recomputed.get(value.handle) if isinstance(value, Holder) else value
        if isinstance(tensor, Tensor):
            yield tensor
