"""What torch's CPU allocator really gave and took, without any dispatch mode in the way.

A dispatch mode changes what it measures: autograd adds gradients out of place where one is in force. `LiveBytes` is such a mode; this
is none. It reads the profiler's memory events: c10's CPU allocator tells it of every allocation and every release, with address and bytes
(c10/core/CPUAllocator.cpp, `ProfiledCPUMemoryReporter`), and `RecordFunction` tells it which operators were running. So it also sees
what no mode sees: memory that a kernel takes and gives back while it runs, numbers that became tensors, states of random generators.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import torch
from attrs import frozen
from torch.profiler import ProfilerActivity, profile

Sort: TypeAlias = Literal["tensor", "scratch", "outside"]


@frozen
class Event:
    """Memory given (`nbytes` > 0) or taken back (< 0).

    `operator` is the dispatched operator that ran (`aten::mm`), "" outside of all. `sort` says what the memory is: a "tensor" that outlives
    the operator that made it, "scratch" that does not, or what was allocated "outside" of operators: numbers and lists that became tensors,
    and states of random number generators.
    """

    nbytes: int
    operator: str
    sort: Sort
    call: int  # tells two calls of one operator apart; 0 outside of all


class Allocations:
    """Records while it is entered; afterwards `events` are there, in their order.

    Memory that was there before counts nowhere, when it is given back neither.
    """

    def __init__(self) -> None:
        self.events: tuple[Event, ...] = ()
        self._profile = profile(activities=[ProfilerActivity.CPU], profile_memory=True)

    def __enter__(self) -> Allocations:
        self._profile.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._profile.__exit__(*exception)
        assert self._profile.profiler is not None
        recorded = self._profile.profiler.kineto_results
        assert recorded is not None
        self.events = tuple(_sorted_out(_memory_events(recorded.experimental_event_tree())))

    def peak(self, *sorts: Sort) -> int:
        """The most bytes of these sorts (all, if none is named) that lived at a time."""
        return max(self.live(*sorts), default=0)

    def live(self, *sorts: Sort) -> Iterator[int]:
        """Bytes of these sorts that live, after each event."""
        now = 0
        for event in self.events:
            if not sorts or event.sort in sorts:
                now += event.nbytes
            yield now

    def after_operators(self) -> list[tuple[str, int]]:
        """The operators that left tensors, in their order, each with the bytes of tensors that lived when it had made its last."""
        after: dict[int, tuple[str, int]] = {}
        for event, now in zip(self.events, self.live("tensor"), strict=True):
            if event.nbytes > 0 and event.sort == "tensor":
                after[event.call] = event.operator.rpartition("::")[2], now
        return list(after.values())

    def scratch(self) -> Mapping[str, int]:
        """The most bytes that each operator held for a moment while it ran; those that held none are left out."""
        most: dict[str, int] = {}
        now: Counter[str] = Counter()
        for event in self.events:
            if event.sort == "scratch":
                now[event.operator] += event.nbytes
                most[event.operator] = max(most.get(event.operator, 0), now[event.operator])
        return most


@frozen
class _Raw:
    nbytes: int
    address: int
    operator: str
    call: int  # tells two calls of one operator apart; 0 outside of all


def _memory_events(tree: Iterable[Any]) -> Iterator[_Raw]:
    """The tree's memory events in the order of time, each with the outermost dispatched operator around it."""
    todo = [(node, "", 0) for node in reversed(list(tree))]
    while todo:
        node, operator, call = todo.pop()
        if node.tag.name == "Allocation":
            fields = node.extra_fields
            if fields.device.type == "cpu":
                yield _Raw(fields.alloc_size, fields.ptr, operator, call)
        elif not operator and node.tag.name == "TorchOp" and _is_dispatched(node):
            operator, call = node.name, node.correlation_id
        todo += [(child, operator, call) for child in reversed(node.children)]


def _sorted_out(raw: Iterable[_Raw]) -> Iterator[Event]:
    """Says of each event what its memory is, which shows only when it is given back; of memory that was there before, nothing."""
    events = list(raw)
    given: dict[int, int] = {}  # address to the event that gave it
    ends: dict[int, int] = {}
    for at, event in enumerate(events):
        if event.nbytes > 0:
            given[event.address] = at
        elif event.address in given:
            ends[given.pop(event.address)] = at
    by_end = {end: start for start, end in ends.items()}
    sorts: dict[int, Sort] = defaultdict(lambda: "tensor")
    for at, event in enumerate(events):
        if event.nbytes > 0:
            if not event.call:
                sorts[at] = "outside"
            elif at in ends and events[ends[at]].call == event.call:
                sorts[at] = "scratch"
    for at, event in enumerate(events):
        start = at if event.nbytes > 0 else by_end.get(at)
        if start is not None:
            yield Event(event.nbytes, events[start].operator, sorts[start], events[start].call)


def _is_dispatched(node: Any) -> bool:
    """Whether a dispatch mode would see this operator itself, not the ones that it is composed of.

    Where some overloads are composed and others are not, a composed one is known by the other that it calls.
    """
    kinds = _kinds(node.name)
    return kinds == {False} or (kinds == {False, True} and all(child.name != node.name for child in node.children))


@functools.cache
def _kinds(name: str) -> frozenset[bool]:
    """Whether an operator's overloads are composed, forms with `out` aside: those with a kernel for CompositeImplicitAutograd are.

    aten/src/ATen/native/README.md.
    """
    namespace, _, _ = name.partition("::")
    if namespace != "aten":
        return frozenset()
    return frozenset(
        torch._C._dispatch_has_kernel_for_dispatch_key(one, "CompositeImplicitAutograd")
        for one in torch._C._dispatch_get_all_op_names()
        if (one == name or one.startswith(f"{name}.")) and not one.endswith("out")
    )
