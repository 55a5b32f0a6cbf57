"""Loops whose steps are all alike.

A scan over 5,000 mini-batches is one step, 5,000 times. Written with `steps`, it is a plain `range`, unless somebody wants to see each
step only once (a check; a count of arithmetic, in either world): then the first steps and the last are run. What a step carries
to the next must not change its shape, and results go into tensors made before the loop.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import overload

# A count of arithmetic sees so many first steps: the second has one before it, as all further ones have.
STEPS_COUNTED = 2


class _Run(threading.local):
    """What one thread's loops are to do."""

    first: int | None = None  # run so many first steps, and the last one; None: all
    repeats: int = 1  # how many steps, of all loops around it, the one that runs now stands for


_RUN = _Run()


def steps(count: int) -> Sequence[int]:
    """0 ... count - 1."""
    first = _RUN.first
    if first is None or count <= first + 1:
        return range(count)
    return _Shortened(count, first)


@contextmanager
def shortened(first: int) -> Iterator[None]:
    """Of every loop of `steps` only the `first` first steps (1 at least) and the last are run.

    The last of the first steps stands for those that are left out: `repeats` says so while it runs.
    """
    before = _RUN.first, _RUN.repeats
    _RUN.first, _RUN.repeats = first, 1
    try:
        yield
    finally:
        _RUN.first, _RUN.repeats = before


def repeats() -> int:
    """How often what runs now would run if no loop were shortened: work that is counted now counts so many times."""
    return _RUN.repeats


class _Shortened(Sequence[int]):
    """As long as the whole loop, but only some of its steps are gone through."""

    def __init__(self, count: int, first: int) -> None:
        self._count, self._first = count, first

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        whole = range(self._count)
        return whole[at]

    def __iter__(self) -> Iterator[int]:
        return self._run([*range(self._first), self._count - 1])

    def __reversed__(self) -> Iterator[int]:
        return self._run([self._count - 1, *reversed(range(self._first))])

    def _run(self, indices: Sequence[int]) -> Iterator[int]:
        outer = _RUN.repeats
        try:
            for index in indices:
                _RUN.repeats = outer * (self._count - self._first) if index == self._first - 1 else outer
                yield index
        finally:
            _RUN.repeats = outer
