"""Bytes that live as long as something holds them, and the meter that counts them.

CPython's reference counts do here what they do in torch, so the same lines of a module give the same lifetimes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING

from attrs import frozen

from tttdit.core.symbolic.lines import IsModule, at_work
from tttdit.core.symbolic.state import STATE

if TYPE_CHECKING:
    from tttdit.core.symbolic.dtype import DType
    from tttdit.core.symbolic.tensor import Tensor


@frozen
class Operator:
    """One dispatched operator: its name in aten, its results, and the bytes that live after it.

    `place` is the module or region at work, `line` the module's line (".../module.py:57") that called it (in backward: that made the
    node), `rule` the line of the symbolic world that stands for it; each "" where nobody knows. `flops` are floating-point operations as
    `torch.utils.flop_counter` counts them.
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


class Meter:
    """Live bytes, their peak, floating-point operations, and on request a log of every operator.

    Counts as a dispatch mode on torch does: after each operator, its arguments still held. Only storages made while the meter is
    in force are counted; parameters, buffers and inputs that existed before take no bytes. With `is_module`, which says of a file
    whether it is a module's, the log has lines.
    """

    def __init__(self, *, log: bool = False, is_module: IsModule | None = None) -> None:
        self.now = 0
        self.peak = 0
        self.peak_operator = ""
        self.flops = 0
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

    def sample(self, name: str, results: Iterable[Tensor]) -> None:
        """One operator has returned."""
        if self.now > self.peak:
            self.peak, self.peak_operator = self.now, name
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
                )
            )
            self._logged_flops = self.flops

    def lines(self) -> tuple[str, str]:
        """The module's line that is at work (in backward, that made the node) and the rule's; "" where lines are not logged."""
        if self._is_module is None:
            return "", ""
        line, rule = at_work(self._is_module)
        return line or STATE.line, rule


class Storage:
    """An allocation. It has the size of the tensor that it was made for, and no data."""

    __slots__ = ("__weakref__", "meter", "nbytes", "shape", "version")

    def __init__(self, shape: tuple[int, ...], dtype: DType) -> None:
        self.shape = shape  # kept with its formulas, so that the bytes have one too
        self.nbytes = prod(map(int, shape)) * dtype.itemsize
        self.version = 0  # counts changes in place
        self.meter = STATE.meter
        if self.meter is not None:
            self.meter.now += self.nbytes

    def __del__(self) -> None:
        if self.meter is not None:
            self.meter.now -= self.nbytes
