"""TTD302."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.laws import Divisible, Law
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import spoken
from tttdit.plugins.ttt_dit.rules.heads import culprit, others, remedy

# K/4 numbers turn with time, 3*K/8 with rows and 3*K/8 with columns, two by two.
MULTIPLE = 16


class RopeHeadWidth(Rule):
    """What: a head is too narrow, or oddly wide, for rotary positions.

    Why: RoPE splits the head width K into K/4 for time, 3*K/8 for rows and 3*K/8 for columns, and turns neighbouring numbers in pairs. All
    three parts are even only if K is a multiple of 16.

    Example: a width of 3,072 with 128 heads: K = 24, and 9 numbers for the rows do not make pairs.

    Instead: 48 heads (K = 64) or 96 (K = 32).

    Fix: unsafe. Other heads are another model.
    """

    code = "TTD302"
    name = "rope-head-width"
    spoils = ("K",)

    def laws(self, stage: Stage) -> list[Law]:
        """K is a multiple of 16."""
        return [Divisible(stage.dims.symbol("K"), Formula.number(MULTIPLE))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the heads, or at the width."""
        head = stage.dims["K"]
        if head % MULTIPLE == 0:
            return
        key, heads = culprit(stage), int(stage.dims["A"])
        help, fix = remedy(stage, self.laws(stage))
        parts = ", ".join(spoken(stage.dims.evaluate(stage.dims.symbol("K") * share / 8) or 0) for share in (2, 3, 3))
        yield self.finding(
            f"RoPE splits the head width K = D/A = {int(stage.dims['D']):,}/{heads:,} = {int(head):,} into {parts} "
            f"(K/4, 3*K/8, 3*K/8), which have to be even: K has to be a multiple of {MULTIPLE}",
            key=key,
            help=help,
            related=others(stage, key),
            fix=fix,
        )
