"""TTD711."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage

KEY = "optimizer.betas"


class BetasExchanged(Rule):
    """What: AdamW's first beta is larger than its second.

    Why: the first says how much of the mean gradient stays from step to step, the second how much of the mean square, by which each step is
    divided. The square has to be remembered for at least as long, or one large gradient goes on moving the parameters after its
    square has been forgotten. It runs, with steps that are now and then far too large.

    Example: `betas = [0.95, 0.9]`.

    Instead: `betas = [0.9, 0.95]`, as the public runs have it.

    Fix: unsafe. It exchanges the two, which is another run.
    """

    code = "TTD711"
    name = "betas-exchanged"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the betas."""
        first, second = stage.optimizer.betas
        if first <= second:
            return
        yield self.finding(
            f"the first beta, {first}, is larger than the second, {second}: AdamW would forget a gradient's square before the gradient",
            key=KEY,
            help=f"write {KEY} = [{second}, {first}]",
            fix=Fix("unsafe", (Edit(KEY, [second, first]),)),
        )
