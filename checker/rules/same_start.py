"""TTD713."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.spec.wording import show
from tttdit.core.stage import Stage

KEY = "checkpoint.init_from"


class SameStart(Rule):
    """What: a later stage of a curriculum starts from the file that the stage before it started from.

    Why: a stage without `checkpoint.init_from` goes on with the weights of the stage before; one that states it, or inherits it from the
    base, starts from that file, and what the stage before has learned is lost to it. Mostly the key was written into the base, and
    meant for the first stage.

    Example: `[checkpoint] init_from = "CogVideoX-5b"` above three `[[stage]]`.

    Instead: `checkpoint.init_from` in the first `[[stage]]` only.

    Fix: none; a file may be named on purpose.
    """

    code = "TTD713"
    name = "same-start"
    severity = "warning"

    def follow(self, before: Stage, stage: Stage) -> Iterator[Finding]:
        """One finding at the file."""
        start = stage.checkpoint.init_from
        if start is None or start != before.checkpoint.init_from:
            return
        yield self.finding(
            f"the stage starts from {show(start)}, as the stage before it did: what that one has learned is lost",
            key=KEY,
            help=f"write {KEY} into the first [[stage]] only; a stage without it goes on from the one before",
        )
