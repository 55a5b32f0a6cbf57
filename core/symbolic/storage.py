"""Bytes that live as long as something holds them, and the meter that counts them.

CPython's reference counts do here what they do in torch, so the same lines of a module give the same lifetimes.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any

from attrs import frozen

from tttdit.core.symbolic.lines import IsModule, at_work
from tttdit.core.symbolic.state import STATE

if TYPE_CHECKING:
    from tttdit.core.symbolic.dtype import DType
    from tttdit.core.symbolic.library import CustomOperator
    from tttdit.core.symbolic.tensor import Tensor


@frozen
class Operator:
    """One dispatched operator: its name in aten, its results, and the bytes that live after it.

    `place` is the module or region at work, `line` the module's line (".../module.py:57") that called it (in backward: that made the
    node), `rule` the line of the symbolic world that stands for it; each "" where nobody knows. `flops` are floating-point operations as
    `torch.utils.flop_counter` counts them. `workspace` are bytes that lived beside `live` for a moment while the operator ran: what a
    custom operator's body allocates, where it counts as one operator. `region` is the innermost region at work, "" outside of all.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    strides: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...]
    live: int
    place: str = ""
    line: str = ""
    rule: str = ""
    flops: int = 0
    workspace: int = 0
    region: str = ""

    @property
    def high(self) -> int:
        """The most bytes that lived while it ran."""
        return self.live + self.workspace


class Meter:
    """Live bytes, their peak, floating-point operations, and on request a log of every operator.

    Counts as a dispatch mode on torch does: after each operator, its arguments still held. Only storages made while the meter is
    in force are counted; parameters, buffers and inputs that existed before take no bytes. With `is_module`, which says of a file
    whether it is a module's, the log has lines.
    """

    def __init__(self, *, log: bool = False, is_module: IsModule | None = None) -> None:
        self.now = 0
        self.peak = 0
        self.saved = 0  # live when backward began
        self.flops = 0
        self.workspace = 0  # of the operator that returns next
        self.silent = False  # what returns is a part of an operator
        self.log: list[Operator] | None = [] if log else None
        self._logged_flops = 0
        self._is_module = is_module

    def __enter__(self) -> Meter:
        self._before = STATE.meter
        STATE.meter = self
        # A graph that holds itself (a tensor multiplied by itself in place) is never freed in torch: its counts are C++'s own.
        self._collecting = gc.isenabled()
        gc.disable()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._collecting:
            gc.enable()
        STATE.meter = self._before

    def made(self, storage: Storage) -> None:
        """Memory has been allocated."""
        self.now += storage.nbytes

    def gone(self, storage: Storage) -> None:
        """Nothing holds it any more."""
        self.now -= storage.nbytes

    def worked(self, formula: Callable[..., int], shapes: Sequence[Sequence[int]], times: int) -> None:
        """The operator that returns next does the floating-point operations that a formula finds for these shapes, so many times."""
        self.flops += formula(*(tuple(map(int, shape)) for shape in shapes)) * times

    def ran(self, operator: CustomOperator, arguments: Sequence[Any], times: int) -> None:
        """A custom operator that counts as one returns next; a shortened loop runs it so many times."""
        work = operator.work(arguments)
        self.flops += work.flops * times
        self.workspace = work.workspace

    def begin_backward(self) -> None:
        """The loss has been computed."""
        self.saved = self.now

    def sample(self, name: str, results: Iterable[Tensor]) -> None:
        """One operator has returned."""
        if self.silent:
            return
        self.peak = max(self.peak, self.now + self.workspace)
        if self.log is not None:
            line, rule = self.lines()
            self.log.append(
                Operator(
                    name,
                    tuple(tuple(map(int, result.shape)) for result in results),
                    tuple(result.strides for result in results),
                    tuple(result.dtype.name for result in results),
                    self.now,
                    STATE.place,
                    line,
                    rule,
                    self.flops - self._logged_flops,
                    self.workspace,
                    STATE.region,
                )
            )
            self._logged_flops = self.flops
        self.workspace = 0

    def lines(self) -> tuple[str, str]:
        """The module's line that is at work (in backward, that made the node) and the rule's; "" where lines are not logged."""
        if self._is_module is None:
            return "", ""
        line, rule = at_work(self._is_module)
        return line or STATE.line, rule


@contextmanager
def uncounted() -> Iterator[None]:
    """What is made inside existed before, as far as the meter is concerned."""
    meter, STATE.meter = STATE.meter, None
    try:
        yield
    finally:
        STATE.meter = meter


class Storage:
    """An allocation. It has the size of the tensor that it was made for, and no data."""

    __slots__ = ("__weakref__", "dtype", "meter", "nbytes", "number", "shape", "version")

    def __init__(self, shape: tuple[int, ...], dtype: DType) -> None:
        self.meter: Meter | None = None  # first of all: an interrupt may come at any time
        self.shape = shape  # kept with its formulas, so that the bytes have one too
        self.dtype = dtype
        self.number = -1  # what a meter knows it by
        self.nbytes = prod(map(int, shape)) * dtype.itemsize
        self.version = 0  # counts changes in place
        self.meter = STATE.meter
        if self.meter is not None:
            self.meter.made(self)

    def allocate(self) -> None:
        """Its memory is there again, after `release`: `UntypedStorage.resize_` to its size. The meter in force counts it."""
        self.meter = STATE.meter
        if self.meter is not None:
            self.meter.made(self)

    def release(self) -> None:
        """Its memory is given back, while tensors still refer to it: `UntypedStorage.resize_(0)`."""
        meter, self.meter = self.meter, None
        if meter is not None:
            meter.gone(self)

    def __del__(self) -> None:
        if self.meter is not None:
            self.meter.gone(self)
