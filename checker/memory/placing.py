"""Every allocation of a step in its place: what the allocator of `tttdit.checker.memory.allocator` does, event by event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from attrs import frozen

from tttdit.checker.memory.allocator import SMALL_SIZE, Block, CachingAllocator, rounded
from tttdit.core.symbolic.tape import Allocation, Moment, Tape

What: TypeAlias = Literal["segment", "alloc", "free"]


# Where segments that grow begin: for tensors of the small pool at 0, for all others so far behind that they never meet.
LARGE = 1 << 44


@frozen
class Event:
    """A segment comes from CUDA (or grows by so much), or a block of one is taken or given back, at a moment; -1: before the step.

    `size` is that of the segment or block, `nbytes` what was asked for. `owner` is the number of the allocation, or of what stands before
    the step; None for an operator's workspace, and for a segment.
    """

    what: What
    at: int
    address: int
    size: int
    nbytes: int
    owner: int | None


@frozen
class Placed:
    """What stands before the step, and the step itself, in order."""

    before: tuple[Event, ...]
    step: tuple[Event, ...]


def placed(tape: Tape, standing: Iterable[int], *, expandable: bool) -> Placed:
    """The events of a step before which tensors of so many bytes stand; `expandable` says that segments grow.

    At a moment first what goes, then what comes, then the operator's workspace, which goes at once: after the last event of a moment lives
    what the tape says. What lives during one operator only is left out, as the tape leaves it out.
    """
    placer = _Placer(expandable=expandable)
    before = [event for number, nbytes in enumerate(standing) for event in placer.take(-1, nbytes, number)]
    return Placed(tuple(before), tuple(_of_step(placer, tape.moments, tape.allocations)))


def _of_step(placer: _Placer, moments: Sequence[Moment], allocations: Iterable[Allocation]) -> Iterator[Event]:
    made: dict[int, list[Allocation]] = defaultdict(list)
    gone: dict[int, list[Allocation]] = defaultdict(list)
    for one in allocations:
        if one.gone is None or one.gone > one.made:
            made[one.made].append(one)
            if one.gone is not None:
                gone[one.gone].append(one)
    blocks: dict[int, Block] = {}
    for at, moment in enumerate(moments):
        for one in gone[at]:
            if one.nbytes:
                yield placer.give(at, blocks.pop(one.number), one.nbytes, one.number)
        for one in made[at]:
            yield from placer.take(at, one.nbytes, one.number)
            if one.nbytes:
                blocks[one.number] = placer.last
        if moment.workspace:
            yield from placer.take(at, moment.workspace, None)
            yield placer.give(at, placer.last, moment.workspace, None)


class _Placer:
    """The allocator, with a record of what it does. `last` is the block that it gave last."""

    last: Block

    def __init__(self, *, expandable: bool) -> None:
        self._allocator = CachingAllocator(expandable=expandable)
        self._ends = {0: 0, LARGE: LARGE} if expandable else {0: 0}

    def take(self, at: int, nbytes: int, owner: int | None) -> Iterator[Event]:
        """A tensor without bytes takes nothing."""
        if not nbytes:
            return
        reserved = self._allocator.reserved
        self.last = block = self._allocator.allocate(nbytes)
        grown = self._allocator.reserved - reserved
        start = self._start(nbytes)
        if grown:
            yield Event("segment", at, self._ends[start], grown, grown, None)
            self._ends[start] += grown
        yield Event("alloc", at, start + block.address, block.size, nbytes, owner)

    def give(self, at: int, block: Block, nbytes: int, owner: int | None) -> Event:
        """The event; the block is free then."""
        event = Event("free", at, self._start(nbytes) + block.address, block.size, nbytes, owner)
        self._allocator.free(block)
        return event

    def _start(self, nbytes: int) -> int:
        """Where the segments begin that a tensor of so many bytes is in."""
        return LARGE if len(self._ends) > 1 and rounded(nbytes) > SMALL_SIZE else 0
