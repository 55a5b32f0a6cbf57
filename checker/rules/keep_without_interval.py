"""TTD708."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding, Fix, Removal
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import written

KEEP, INTERVAL = "checkpoint.keep", "checkpoint.interval"


class KeepWithoutInterval(Rule):
    """What: the spec says how many checkpoints to keep, and asks for none but the last.

    Why: with `checkpoint.interval = 0`, which is what a spec has that does not state it, a stage is saved at its end only. There is nothing
    to choose from, and nothing to resume from before the end.

    Example: `[checkpoint] keep = 3` without an `interval`.

    Instead: `interval = 500` beside it, or no `keep`.

    Fix: shown only: without `keep` the run is the same, but it may be the interval that was forgotten.
    """

    code = "TTD708"
    name = "keep-without-interval"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the number of checkpoints."""
        keep = stage.checkpoint.keep
        if keep is None or stage.checkpoint.interval > 0:
            return
        yield self.finding(
            f"{KEEP} = {keep:,} has no effect: with {INTERVAL} = 0 the end of the stage is all that is saved",
            key=KEEP,
            help=f"write {INTERVAL}, the steps from one checkpoint to the next, or leave {KEEP} out",
            related=written(stage, {INTERVAL: "at the end only"}),
            fix=Fix("shown", (Removal(KEEP),)),
        )
