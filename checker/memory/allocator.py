"""PyTorch's caching allocator for GPU memory, simulated: how much of it blocks waste.

The allocator gives each tensor a block, cut from a segment that it has from CUDA, and keeps what is freed for the next tensor. What it
holds is `reserved`; what tensors hold of that is `allocated`: what `torch.cuda.max_memory_reserved` and `max_memory_allocated` would say.

Read, not measured, from PyTorch 2.13: constants from c10/core/AllocatorConfig.h, methods from c10/cuda/CUDACachingAllocator.cpp
(`DeviceCachingAllocator`), whose functions are named below. What is left out: `max_split_size_mb`, `roundup_power2_divisions` and
`garbage_collection_threshold` (off by default), private pools of CUDA graphs, `record_stream` (FSDP2 uses events instead), and the return
of free segments to CUDA when it has no more. All memory is taken to be of one stream: FSDP2 makes what it gathers and reduces in streams
of its own, whose free blocks nobody else can have, so that `reserved` can be higher by as much as these buffers. Where CUDA puts a segment
nobody knows: here each lies behind the one before, which decides only between free blocks of equal size.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from tttdit.checker.memory.prediction import Runtime
    from tttdit.core.symbolic.tape import Allocation, Tape

MIN_BLOCK_SIZE = 512  # kMinBlockSize: every size is a multiple
SMALL_SIZE = 1 << 20  # kSmallSize: the largest tensor of the small pool
SMALL_BUFFER = 2 << 20  # kSmallBuffer: its segments, and its pages where segments grow
LARGE_BUFFER = 20 << 20  # large_segment_size: segments for tensors of up to MIN_LARGE_ALLOC, and the large pool's pages
MIN_LARGE_ALLOC = 10 << 20  # kMinLargeAlloc: tensors from here on have a segment of their own
ROUND_LARGE = 2 << 20  # kRoundLarge: the size of which is a multiple of this


def rounded(nbytes: int) -> int:
    """Bytes of the block that a tensor needs (`round_size`); none for a tensor without bytes, which asks for no block (`allocate`)."""
    return -(-nbytes // MIN_BLOCK_SIZE) * MIN_BLOCK_SIZE


def is_expandable(runtime: Runtime) -> bool:
    """Whether a runtime's segments grow: `tttdit run` sets `expandable_segments:True`; torch's own default is without."""
    return runtime == "fsdp2"


@frozen
class MostUsed:
    """The most that was held at a time, in bytes: by the allocator, and by tensors, each rounded, which it was at the moment `at`.

    What a tensor's block has beyond that, because the rest was too small for a block of its own (`should_split`), is the allocator's:
    `torch.cuda.max_memory_allocated` counts it as the tensor's.
    """

    reserved: int
    allocated: int
    at: int


def most_used(tape: Tape, *, expandable: bool, kept: Sequence[int] = ()) -> MostUsed:
    """What one step needs of the allocator: first what stands there before it, then what it makes and lets go, moment by moment.

    `kept` are sizes of what libraries keep between steps. At each moment memory is let go before new memory is made: an operator's
    arguments have been dropped by the time that the next one runs. An operator's workspace counts as one tensor, which is there while the
    operator runs.
    """
    allocator = CachingAllocator(expandable=expandable)
    for nbytes in (*(standing.nbytes for standing in tape.standing), *kept):
        if nbytes:
            allocator.allocate(nbytes)
    allocations = tape.allocations
    workspaces = _workspaces(allocations, tape.high)
    blocks: dict[int, Block] = {}
    now = sum(map(rounded, (*(standing.nbytes for standing in tape.standing), *kept)))
    most, most_at = now, 0
    for at, event, number in sorted(_events(allocations, workspaces)):
        if event == _MADE:
            blocks[number] = allocator.allocate(allocations[number].nbytes)
            now += rounded(allocations[number].nbytes)
            if now > most:
                most, most_at = now, at
        elif event == _WORKED:
            allocator.free(allocator.allocate(workspaces[at]))
            if now + rounded(workspaces[at]) > most:
                most, most_at = now + rounded(workspaces[at]), at
        else:
            allocator.free(blocks.pop(number))
            now -= rounded(allocations[number].nbytes)
    return MostUsed(allocator.most_reserved, most, most_at)


# In the order in which they happen within a moment.
_GONE, _MADE, _WORKED, _GONE_AT_ONCE = range(4)


def _events(allocations: Sequence[Allocation], workspaces: Mapping[int, int]) -> Iterator[tuple[int, int, int]]:
    """Moment, event, number of the allocation."""
    for at in workspaces:
        yield at, _WORKED, 0
    for number, one in enumerate(allocations):
        if one.nbytes:
            yield one.made, _MADE, number
            if one.gone is not None:
                yield one.gone, _GONE_AT_ONCE if one.gone == one.made else _GONE, number


def _workspaces(allocations: Iterable[Allocation], high: Sequence[int]) -> Mapping[int, int]:
    """Bytes of operators' workspaces, by moment: what lived while an operator ran, and lives neither before nor after."""
    change = [0] * (len(high) + 1)
    for one in allocations:
        change[one.made] += one.nbytes
        if one.gone is not None:
            change[one.gone] -= one.nbytes
    return {
        at: most - live for at, (most, live) in enumerate(zip(high, accumulate(change), strict=False)) if most > live
    }


class Block:
    """A range of a segment: free, or one tensor's. `before` and `behind` are its neighbours in the segment."""

    __slots__ = ("address", "before", "behind", "free", "pool", "size")

    def __init__(self, pool: _Pool, address: int, size: int) -> None:
        self.pool = pool
        self.address = address
        self.size = size
        self.free = False
        self.before: Block | None = None
        self.behind: Block | None = None


class CachingAllocator:
    """`DeviceCachingAllocator` of one GPU. With `expandable` as `expandable_segments:True` sets it."""

    def __init__(self, *, expandable: bool) -> None:
        self.reserved = 0
        self.allocated = 0
        self.most_reserved = 0
        self._expandable = expandable
        self._small = _Pool(small=True, expandable=expandable)
        self._large = _Pool(small=False, expandable=expandable)
        self._end = 0  # of the last segment

    def allocate(self, nbytes: int) -> Block:
        """A block for a tensor that has bytes (`malloc`, `get_free_block`, `alloc_block`, `alloc_found_block`)."""
        size = rounded(nbytes)
        pool = self._small if size <= SMALL_SIZE else self._large
        block = pool.best_fit(size) or self._grown(pool, size)
        if block.size - size >= pool.least_rest:
            pool.split(block, size)
        self.allocated += block.size
        return block

    def free(self, block: Block) -> None:
        """The tensor is gone; its block is free, and one with the free ones beside it (`free_block`, `try_merge_blocks`)."""
        self.allocated -= block.size
        block.pool.release(block)

    def _grown(self, pool: _Pool, size: int) -> Block:
        """A block that CUDA has just given."""
        if self._expandable:
            taken, block = pool.extended(size)
        else:
            taken = segment_size(size)
            block = Block(pool, self._end, taken)
            self._end += taken
        self.reserved += taken
        self.most_reserved = max(self.most_reserved, self.reserved)
        return block


def segment_size(size: int) -> int:
    """Bytes of the segment for a block for which there is no room (`get_allocation_size`)."""
    if size <= SMALL_SIZE:
        return SMALL_BUFFER
    if size < MIN_LARGE_ALLOC:
        return LARGE_BUFFER
    return -(-size // ROUND_LARGE) * ROUND_LARGE


class _Pool:
    """Free blocks, small ones or large ones, by size, then by address (`BlockComparatorSize`)."""

    def __init__(self, *, small: bool, expandable: bool) -> None:
        # `should_split`: the least that is cut off; what is less stays with the tensor.
        self.least_rest = MIN_BLOCK_SIZE if small or expandable else SMALL_SIZE + 1
        self._page = SMALL_BUFFER if small else LARGE_BUFFER
        self._expandable = expandable
        self._free: list[tuple[int, int]] = []  # size, address
        self._at: dict[int, Block] = {}  # free blocks by their address
        self._last: Block | None = None  # of the one segment that grows
        self._mapped = 0  # bytes of it

    def best_fit(self, size: int) -> Block | None:
        """The smallest free block that is large enough (`get_free_block`). The one that can still grow is the last choice."""
        place = bisect_left(self._free, (size, 0))
        if place == len(self._free):
            return None
        block = self._at[self._free[place][1]]
        if self._expandable and block is self._last and place + 1 < len(self._free):
            block = self._at[self._free[place + 1][1]]
        self._remove(block)
        return block

    def extended(self, size: int) -> tuple[int, Block]:
        """New pages for the segment that grows, and the block that they make (`try_allocate_expandable_block`, `map_block`).

        The free block at its end, if there is one, is part of the new one.
        """
        block = self._last
        if block is not None and block.free:
            self._remove(block)
        else:
            block = Block(self, self._mapped, 0)
            block.before, self._last = self._last, block
            if block.before is not None:
                block.before.behind = block
        taken = -(-(size - block.size) // self._page) * self._page
        block.size += taken
        self._mapped += taken
        return taken, block

    def split(self, block: Block, size: int) -> None:
        """The block keeps its first bytes; the rest is a free block."""
        rest = Block(self, block.address + size, block.size - size)
        rest.before, rest.behind = block, block.behind
        if rest.behind is not None:
            rest.behind.before = rest
        block.behind, block.size = rest, size
        if block is self._last:
            self._last = rest
        self._insert(rest)

    def release(self, block: Block) -> None:
        """The block is free, together with free neighbours."""
        before, behind = block.before, block.behind
        if behind is not None and behind.free:
            self._remove(behind)
            self._join(block, behind)
        if before is not None and before.free:
            self._remove(before)
            self._join(before, block)
            block = before
        self._insert(block)

    def _join(self, block: Block, behind: Block) -> None:
        block.size += behind.size
        block.behind = behind.behind
        if block.behind is not None:
            block.behind.before = block
        if behind is self._last:
            self._last = block

    def _insert(self, block: Block) -> None:
        block.free = True
        insort(self._free, (block.size, block.address))
        self._at[block.address] = block

    def _remove(self, block: Block) -> None:
        block.free = False
        del self._free[bisect_left(self._free, (block.size, block.address))]
        del self._at[block.address]
