"""TTD521."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.rules.over_budget import gpu_key, is_sized
from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.weighing import Weighed
from tttdit.core.wording import spoken_bytes, written


class SamplingOverBudget(Rule):
    """What: drawing a video of this stage's length needs more memory than the GPU has.

    Why: `tttdit sample` has the whole model on every rank, so that a stage that trains spread over many ranks may still be too large to
    draw from on one. The loop is run without gradients, and what it needs is predicted like a training step: parameters, the sample, and
    the largest layer's tensors.

    Example: 63-second videos of the 5B model on a GPU of 40 GiB.

    Instead: draw shorter videos, with a model in bfloat16 (`parallelism.unsharded_dtype`), or on a larger GPU.

    Fix: none. Each of these makes other videos, or needs another machine.
    """

    code = "TTD521"
    name = "sampling-over-budget"
    severity = "warning"
    about_machine = True

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        """One finding at the GPU, where the spec names one and says how videos are drawn."""
        stage = weighed.stage
        if not is_sized(stage):
            return
        now = weighed.sampling
        if now is None or now.budget_bytes is None:
            return
        needed = now.total_bytes + now.outside_bytes
        if needed <= now.budget_bytes:
            return
        parts = sorted(now.parts.items(), key=lambda item: -item[1])[:2]
        largest = ", ".join(f"{name} {spoken_bytes(count)}" for name, count in parts if count)
        yield self.finding(
            f"drawing one video needs {spoken_bytes(needed)}, {spoken_bytes(needed - now.budget_bytes)} more than the "
            f"{spoken_bytes(now.budget_bytes)} of its GPU\nat the highest moment, {now.total_at}: {largest}",
            key=gpu_key(stage),
            help="draw shorter videos, or on a larger GPU",
            related=written(stage, {"sampling.plugin": "this draws them", "video.seconds": "so long"}),
        )
