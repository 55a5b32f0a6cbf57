"""What a rank holds around forward and backward, whatever `[memory]` says: before them, and in the optimizer's step after them."""

from __future__ import annotations

from itertools import accumulate

from attrs import frozen

from tttdit.checker.memory.allocator import rounded
from tttdit.checker.memory.gpus import blas_workspaces
from tttdit.checker.memory.predicting import around_torch
from tttdit.checker.memory.prediction import Runtime
from tttdit.checker.memory.settings import Outlook, Setting
from tttdit.core.stage import Stage
from tttdit.core.symbolic.outline import Figures
from tttdit.core.symbolic.tape import Tape


@frozen
class Around:
    """Bytes, rounded as the device's allocator does: what stands there all the time, and the most that lives beside it after backward."""

    standing_bytes: int
    after_bytes: int
    outside_bytes: int
    budget_bytes: int | None

    def outlook(self, setting: Setting, figures: Figures, peak_in_blocks: int) -> Outlook:
        """The outlook of a setting in which forward and backward come to these figures, and their peak to so many bytes in blocks."""
        total = self.standing_bytes + max(peak_in_blocks, self.after_bytes)
        return Outlook(
            setting=setting,
            saved_bytes=figures.saved_bytes,
            peak_bytes=figures.peak_bytes,
            total_bytes=total,
            recompute_flops=figures.recompute_flops,
            flops=figures.flops,
            reserved_bytes=None,
            fits=None if self.budget_bytes is None else total + self.outside_bytes <= self.budget_bytes,
        )


def in_blocks(nbytes: int, device: str) -> int:
    """The bytes that a tensor takes on a device."""
    return rounded(nbytes) if device == "cuda" else nbytes


def around_step(stage: Stage, tape: Tape, *, device: str, runtime: Runtime) -> Around:
    """What there is around a stage's step, of which this is the record in one setting."""
    standing = sum(in_blocks(one.nbytes, device) for one in tape.standing)
    libraries = sum(blas_workspaces(stage.hardware)) if device == "cuda" else 0
    outside, budget = around_torch(stage, device=device, runtime=runtime)
    return Around(standing + libraries, _after(tape, device), outside, budget)


def _after(tape: Tape, device: str) -> int:
    """The most bytes that live at a time after backward."""
    first = tape.passes
    if first is None or first == len(tape.moments):
        return 0
    change = [0] * (len(tape.moments) + 1)
    for one in tape.allocations:
        if one.gone is None or one.gone > first:
            change[max(one.made, first)] += in_blocks(one.nbytes, device)
            change[one.gone if one.gone is not None else -1] -= in_blocks(one.nbytes, device)
    return max(accumulate(change[first:]))
