"""TTD301."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.laws import Divisible, Law
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.plugins.ttt_dit.rules.heads import culprit, others, remedy


class HeadsWidth(Rule):
    """What: the model's width cannot be shared out over its heads.

    Why: every head has K = D/A of the width's numbers, in the attention and in the mixer.

    Example: a width of 3,072 with 47 heads: 65 numbers a head, and 17 left over.

    Instead: heads that divide the width (48 for 3,072), with a head width that is a multiple of 16 (see TTD302).

    Fix: unsafe. Other heads are another model.
    """

    code = "TTD301"
    name = "heads-width"
    spoils = ("K",)

    def laws(self, stage: Stage) -> list[Law]:
        """D is a multiple of A."""
        return [Divisible(stage.dims.symbol("D"), stage.dims.symbol("A"))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the heads, or at the width."""
        width, heads = int(stage.dims["D"]), int(stage.dims["A"])
        if width % heads == 0:
            return
        key = culprit(stage)
        help, fix = remedy(stage, self.laws(stage))
        yield self.finding(
            f"the width D = {width:,} cannot be shared by A = {heads:,} heads: "
            f"{width:,} = {heads:,}*{width // heads:,} + {width % heads:,}",
            key=key,
            help=help,
            related=others(stage, key),
            fix=fix,
        )
