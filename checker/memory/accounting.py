"""What a step takes of a device's memory through torch's allocator, in all and by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import accumulate

from attrs import frozen

from tttdit.checker.memory.allocator import most_used, rounded
from tttdit.checker.memory.gpus import blas_workspaces
from tttdit.checker.memory.prediction import Part
from tttdit.core.spec.run_tables import HardwareTable
from tttdit.core.symbolic.tape import Tape


@frozen
class Account:
    """The most that a step's tensors and libraries take (`total_bytes`, at the moment `at`), its `parts`, and `reserved_bytes`.

    The part "rounding" is what the allocator's blocks have beyond the bytes of the tensors in them; main memory has none.
    `standing_bytes` of the total are there all the time, whatever `[memory]` says; `after_bytes` is the most that lives beside them after
    backward.
    """

    total_bytes: int
    at: int
    parts: Mapping[Part, int]
    reserved_bytes: int
    standing_bytes: int
    after_bytes: int


def in_main_memory(tape: Tape, standing: Mapping[Part, int]) -> Account:
    """The account of a step on the CPU, before which this stands there: tensors' bytes alone."""
    parts: Counter[Part] = Counter(standing)
    parts.update(tape.parts_at(tape.highest_at))
    total = sum(parts.values())
    return Account(total, tape.highest_at, parts, total, sum(standing.values()), _after(tape, int))


def on_gpu(tape: Tape, standing: Mapping[Part, int], hardware: HardwareTable, *, expandable: bool) -> Account:
    """The account of a step before which this stands there, with cuBLAS's workspaces. See `most_used` for `expandable`."""
    kept = blas_workspaces(hardware)
    most = most_used(tape, expandable=expandable, kept=kept)
    parts: Counter[Part] = Counter(standing)
    parts.update(tape.parts_at(most.at))
    parts["workspace"] += sum(kept)
    parts["rounding"] = most.allocated - sum(parts.values())
    stands = sum(rounded(one.nbytes) for one in tape.standing) + sum(kept)
    return Account(most.allocated, most.at, parts, most.reserved, stands, _after(tape, rounded))


def in_blocks(nbytes: int, device: str) -> int:
    """The bytes that a tensor takes on a device."""
    return rounded(nbytes) if device == "cuda" else nbytes


def _after(tape: Tape, block: Callable[[int], int]) -> int:
    """The most bytes that live at a time after backward."""
    first = tape.passes
    if first is None or first == len(tape.moments):
        return 0
    change = [0] * (len(tape.moments) + 1)
    for one in tape.allocations:
        if one.gone is None or one.gone > first:
            change[max(one.made, first)] += block(one.nbytes)
            change[one.gone if one.gone is not None else -1] -= block(one.nbytes)
    return max(accumulate(change[first:]))
