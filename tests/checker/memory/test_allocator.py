"""The caching allocator: its constants, its laws, and itself against a slow and obvious one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.memory import allocator as allocators
from tttdit.checker.memory.allocator import (
    LARGE_BUFFER,
    MIN_BLOCK_SIZE,
    SMALL_BUFFER,
    SMALL_SIZE,
    Block,
    CachingAllocator,
    MostUsed,
    most_used,
    rounded,
    segment_size,
)
from tttdit.core.symbolic.tape import Allocation, Moment, Standing, Tape

MIB = 1 << 20

# Sizes on both sides of every threshold, and anything between them.
SIZES = st.one_of(
    st.sampled_from([1, 511, 512, 513, MIB - 1, MIB, MIB + 1, 2 * MIB, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1, 21 * MIB]),
    st.integers(1, 4 * MIB),
    st.integers(1, 40).map(lambda count: count * MIB),
)
# What a program does: allocate so many bytes, or free the tensor at a place among those that live.
PROGRAMS = st.lists(
    st.one_of(SIZES.map(lambda nbytes: ("allocate", nbytes)), st.tuples(st.just("free"), st.integers(0, 30))),
    max_size=60,
)


@pytest.mark.parametrize(("nbytes", "block"), [(0, 0), (1, 512), (512, 512), (513, 1024), (MIB + 1, MIB + 512)])
def test_a_tensor_takes_a_multiple_of_512_bytes(nbytes: int, block: int) -> None:
    assert rounded(nbytes) == block


@pytest.mark.parametrize(
    ("size", "segment"),
    [
        (512, 2 * MIB),
        (MIB, 2 * MIB),
        (MIB + 512, 20 * MIB),
        (10 * MIB - 512, 20 * MIB),
        (10 * MIB, 10 * MIB),
        (10 * MIB + 512, 12 * MIB),
        (21 * MIB, 22 * MIB),
    ],
)
def test_a_segment_is_a_buffer_or_made_for_one_tensor(size: int, segment: int) -> None:
    assert segment_size(size) == segment


def test_constants_are_those_of_the_torch_that_is_installed() -> None:
    """The header with them is part of torch's wheel, the one for the CPU too."""
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        pytest.skip("torch is not installed")
    header = Path(torch.origin).parent / "include/c10/core/AllocatorConfig.h"
    if not header.is_file():
        pytest.skip("this torch comes without its headers")
    text = header.read_text()
    said = {name: int(value) for name, value in re.findall(r"constexpr size_t (k\w+) = (\d+);", text)}
    large = re.search(r"large_segment_size_\{(\d+)\}", text)
    assert large is not None
    assert said == {
        "kMinBlockSize": allocators.MIN_BLOCK_SIZE,
        "kSmallSize": allocators.SMALL_SIZE,
        "kSmallBuffer": allocators.SMALL_BUFFER,
        "kMinLargeAlloc": allocators.MIN_LARGE_ALLOC,
        "kRoundLarge": allocators.ROUND_LARGE,
    }
    assert int(large[1]) == allocators.LARGE_BUFFER


@given(PROGRAMS, st.booleans())
def test_it_does_what_the_obvious_allocator_does(program: Sequence[tuple[str, int]], expandable: bool) -> None:
    fast, slow = CachingAllocator(expandable=expandable), ObviousAllocator(expandable)
    blocks: list[Block] = []
    pieces: list[Piece] = []
    for step, number in program:
        if step == "allocate":
            blocks.append(fast.allocate(number))
            pieces.append(slow.allocate(number))
        elif blocks:
            fast.free(blocks.pop(number % len(blocks)))
            slow.free(pieces.pop(number % len(pieces)))
        assert [block.size for block in blocks] == [piece.size for piece in pieces]
        assert fast.reserved == slow.reserved
        assert fast.allocated == sum(piece.size for piece in pieces)


@given(PROGRAMS, st.booleans())
def test_laws(program: Sequence[tuple[str, int]], expandable: bool) -> None:
    allocator = CachingAllocator(expandable=expandable)
    blocks: list[tuple[Block, int]] = []
    for step, number in program:
        if step == "allocate":
            blocks.append((allocator.allocate(number), number))
        elif blocks:
            allocator.free(blocks.pop(number % len(blocks))[0])
        assert sum(rounded(nbytes) for _, nbytes in blocks) <= allocator.allocated <= allocator.reserved
        for pool in {block.pool for block, _ in blocks}:
            taken = sorted((block.address, block.size) for block, _ in blocks if block.pool is pool)
            assert all(here + size <= there for (here, size), (there, _) in pairwise(taken))
    assert allocator.most_reserved == allocator.reserved  # nothing is given back


@given(st.lists(SIZES, min_size=1, max_size=20), st.randoms())
def test_what_is_all_free_again_is_one_block(sizes: list[int], random: Random) -> None:
    allocator = CachingAllocator(expandable=True)
    blocks = [allocator.allocate(size) for size in sizes]
    random.shuffle(blocks)
    for block in blocks:
        allocator.free(block)
    assert allocator.allocated == 0
    large = sum(rounded(size) for size in sizes if size > SMALL_SIZE)
    reserved = allocator.reserved
    if large:
        allocator.allocate(large)
    assert allocator.reserved == reserved


@given(st.lists(SIZES, min_size=1, max_size=20))
def test_a_segment_that_grows_never_leaves_rest_with_a_tensor(sizes: list[int]) -> None:
    allocator = CachingAllocator(expandable=True)
    for size in sizes:
        allocator.allocate(size)
    assert allocator.allocated == sum(map(rounded, sizes))
    assert allocator.reserved - allocator.allocated < SMALL_BUFFER + LARGE_BUFFER


def test_a_fixed_segment_leaves_a_small_rest_with_the_tensor() -> None:
    allocator = CachingAllocator(expandable=False)
    allocator.allocate(10 * MIB + 512)  # its segment has 12 MiB; the rest is over 1 MiB and is cut off
    assert (allocator.allocated, allocator.reserved) == (10 * MIB + 512, 12 * MIB)
    allocator.allocate(11 * MIB)  # here the rest is 1 MiB, and stays
    assert (allocator.allocated, allocator.reserved) == (22 * MIB + 512, 24 * MIB)


def test_free_neighbours_are_one_block() -> None:
    allocator = CachingAllocator(expandable=False)
    parts = [allocator.allocate(5 * MIB) for _ in range(4)]
    assert allocator.reserved == 20 * MIB
    for part in (parts[0], parts[2], parts[1], parts[3]):
        allocator.free(part)
    assert allocator.allocate(20 * MIB).size == 20 * MIB
    assert allocator.reserved == 20 * MIB


def test_a_hole_that_is_too_small_is_waste() -> None:
    allocator = CachingAllocator(expandable=True)
    first = allocator.allocate(20 * MIB)
    allocator.allocate(20 * MIB)
    allocator.free(first)
    allocator.allocate(40 * MIB)
    assert (allocator.allocated, allocator.reserved) == (60 * MIB, 80 * MIB)


def made(nbytes: int, at: int, gone: int | None) -> Allocation:
    return Allocation((nbytes,), "uint8", nbytes, at, gone, "activations", 0)


def tape(*allocations: Allocation, workspaces: Sequence[int], standing: int = 0) -> Tape:
    """A step with a moment for each workspace."""
    stands = (Standing("weight", "parameter", (standing,), "uint8", standing),)
    live = [sum(one.nbytes for one in allocations if lives(one, at)) for at in range(len(workspaces))]
    return Tape(
        standing=stands,
        moments=[Moment("aten::mul", "forward", "", "", False, *each) for each in zip(live, workspaces, strict=True)],
        allocations=allocations,
        high=[sum(each) for each in zip(live, workspaces, strict=True)],
        forward=len(workspaces),
        saved_bytes=0,
        flops=0,
        recompute_flops=0,
    )


def lives(one: Allocation, at: int) -> bool:
    return one.made <= at and (one.gone is None or at < one.gone)


def test_what_goes_makes_room_for_what_comes_at_the_same_moment() -> None:
    step = tape(made(20 * MIB, 0, 1), made(20 * MIB, 1, None), workspaces=[0, 0])
    assert most_used(step, expandable=True) == MostUsed(20 * MIB, 20 * MIB, at=0)


def test_standing_memory_and_workspace_count() -> None:
    step = tape(made(20 * MIB, 0, None), workspaces=[0, 40 * MIB], standing=100 * MIB)
    assert most_used(step, expandable=True) == MostUsed(160 * MIB, 160 * MIB, at=1)


def test_what_libraries_keep_is_there_all_the_time() -> None:
    step = tape(made(20 * MIB, 0, None), workspaces=[0])
    assert most_used(step, expandable=True, kept=[32 * MIB]) == MostUsed(60 * MIB, 52 * MIB, at=0)


def test_tensors_without_bytes_and_tensors_of_one_moment() -> None:
    step = tape(made(0, 0, None), made(20 * MIB, 0, 0), made(20 * MIB, 1, None), workspaces=[0, 0])
    assert most_used(step, expandable=True) == MostUsed(20 * MIB, 20 * MIB, at=0)


@define
class Piece:
    """A part of a segment."""

    size: int
    free: bool


class ObviousAllocator:
    """Segments as lists of pieces, in the order in which they were made; every question is a look at all of them."""

    def __init__(self, expandable: bool) -> None:
        self._expandable = expandable
        self._segments: list[tuple[bool, list[Piece]]] = []  # whether small

    @property
    def reserved(self) -> int:
        return sum(piece.size for _, pieces in self._segments for piece in pieces)

    def allocate(self, nbytes: int) -> Piece:
        size = -(-nbytes // MIN_BLOCK_SIZE) * MIN_BLOCK_SIZE
        small = size <= SMALL_SIZE
        mine = [pieces for which, pieces in self._segments if which == small]
        fitting = [(pieces, piece) for pieces in mine for piece in pieces if piece.free and piece.size >= size]
        # The end of a segment that grows is as large as it can get.
        growing = [pieces[-1] for pieces in mine] if self._expandable else []
        fitting.sort(key=lambda found: (any(found[1] is end for end in growing), found[1].size))
        pieces, piece = fitting[0] if fitting else self._new(small, mine, size)
        rest = piece.size - size
        if rest >= MIN_BLOCK_SIZE if small or self._expandable else rest > SMALL_SIZE:
            at = next(at for at, each in enumerate(pieces) if each is piece)
            pieces.insert(at + 1, Piece(rest, True))
            piece.size = size
        piece.free = False
        return piece

    def _new(self, small: bool, mine: list[list[Piece]], size: int) -> tuple[list[Piece], Piece]:
        if not self._expandable:
            pieces = [Piece(segment_size(size), True)]
            self._segments.append((small, pieces))
            return pieces, pieces[0]
        if not mine:
            mine = [[]]
            self._segments.append((small, mine[0]))
        pieces = mine[0]
        if not pieces or not pieces[-1].free:
            pieces.append(Piece(0, True))
        while pieces[-1].size < size:
            pieces[-1].size += SMALL_BUFFER if small else LARGE_BUFFER
        return pieces, pieces[-1]

    def free(self, piece: Piece) -> None:
        piece.free = True
        for _, pieces in self._segments:
            at = 0
            while at + 1 < len(pieces):
                if pieces[at].free and pieces[at + 1].free:
                    pieces[at].size += pieces.pop(at + 1).size
                else:
                    at += 1
