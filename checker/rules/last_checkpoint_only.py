"""TTD707."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import written

INTERVAL, STEPS = "checkpoint.interval", "training.steps"


class LastCheckpointOnly(Rule):
    """What: checkpoints are further apart than the stage is long.

    Why: the stage is saved at its end, and not before: a run that is interrupted begins anew. Who asks for a checkpoint every so many steps
    expects some on the way.

    Example: `interval = 500` in a stage of 250 steps.

    Instead: an interval below the number of steps; 0 says that the end is enough.

    Fix: shown only: 0 says what happens anyway, which may not be what was meant.
    """

    code = "TTD707"
    name = "last-checkpoint-only"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the interval."""
        interval, steps = stage.checkpoint.interval, stage.training.steps
        if interval <= steps:
            return
        yield self.finding(
            f"a checkpoint every {interval:,} steps is none before the end of a stage of {steps:,}",
            key=INTERVAL,
            help=f"write {INTERVAL} = {steps // 2 or 1} or less, or 0 if the end is enough",
            related=written(stage, {STEPS: f"{steps:,} steps"}),
            fix=Fix("shown", (Edit(INTERVAL, 0),)),
        )
