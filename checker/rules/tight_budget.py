"""TTD509."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.rules.over_budget import gpu_key, is_sized
from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.weighing import Weighed
from tttdit.core.wording import spoken_bytes

# A share of the GPU's memory. A GPU's size is known to less than 1 %, and what CUDA and NCCL take is assumed, not documented.
_TIGHT = 0.02


class TightBudget(Rule):
    """What: a step fits the GPU, but so tightly that the waste in the allocator's blocks decides, or less than 2 % is left.

    Why: torch cuts tensors from blocks, and a block from which a piece is in use cannot be given back. What it holds (reserved) is more
    than what tensors hold (allocated). When CUDA has no more, torch returns the blocks that are wholly free and tries again, which costs
    time in every step and helps only if there are such. Less than 2 % is less than what GPUs of one model and different drivers differ
    by, together with what CUDA and NCCL take, which nobody documents.

    Example: 78.5 GiB of tensors, and 80.1 GiB with what blocks waste, on a GPU of 79.1 GiB.

    Instead: recompute a little more; `tttdit plan` with a smaller `--budget` says what. (That segments may grow, which wastes less, is
    counted in already.)

    Fix: none. How much room to leave is a choice.
    """

    code = "TTD509"
    name = "tight-budget"
    severity = "warning"

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        """One finding at the GPU, where the spec names one: a warning where blocks decide, else for information."""
        stage = weighed.stage
        if not is_sized(stage):
            return
        now = weighed.prediction
        budget, used = now.budget_bytes, now.total_bytes + now.outside_bytes
        if budget is None or used > budget:  # TTD506
            return
        needed = now.needed_bytes
        if needed > budget:
            yield self.finding(
                f"a rank's tensors need {spoken_bytes(used)} of the GPU's {spoken_bytes(budget)}, with what the allocator's blocks waste "
                f"{spoken_bytes(needed)}: it runs only if torch finds blocks to give back",
                key=gpu_key(stage),
                help=f"recompute more: tttdit plan --budget {budget - (needed - used)}B",
            )
        elif budget - needed < _TIGHT * budget:
            yield self.finding(
                f"a rank needs {spoken_bytes(needed)} of the GPU's {spoken_bytes(budget)}: {100 * (budget - needed) / budget:.1f} % "
                f"or {spoken_bytes(budget - needed)} are to spare",
                key=gpu_key(stage),
                help="another driver may leave less; recompute a little more if that matters",
                severity="info",
            )
