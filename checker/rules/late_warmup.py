"""TTD701."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import written

WARMUP, STEPS = "training.warmup_steps", "training.steps"


class LateWarmup(Rule):
    """What: the warm-up is as long as the stage, or longer.

    Why: the learning rates rise from 0 over `warmup_steps`. Where the stage ends before that, they never reach the values that
    `[optimizer]` states, and the schedule that follows the warm-up never begins.

    Example: `steps = 40` with 50 warm-up steps, which is what a spec has that does not state them.

    Instead: a warm-up that is a small part of the steps (the public runs have 100 of 5,000, 50 of 1,000, 25 of 250), or 0.

    Fix: unsafe. It writes a tenth of the steps; other learning rates are another run.
    """

    code = "TTD701"
    name = "late-warmup"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the warm-up, or at the steps if only these are stated."""
        warmup, steps = stage.training.warmup_steps, stage.training.steps
        if warmup < steps:
            return
        key = WARMUP if stage.wrote(WARMUP) else STEPS
        places = {STEPS: f"{steps:,} steps in all", WARMUP: f"{warmup:,} steps of warm-up"}
        reached = (
            "reach their full value only with the last step"
            if warmup == steps
            else f"end at {100 * steps / warmup:.3g} % of their full value"
        )
        yield self.finding(
            f"the learning rates rise over {warmup:,} steps of warm-up, and the stage has {steps:,}: they {reached}",
            key=key,
            help=f"write {WARMUP} = {steps // 10} or less",
            related=written(stage, {other: told for other, told in places.items() if other != key}),
            fix=Fix("unsafe", (Edit(WARMUP, steps // 10),)),
        )
