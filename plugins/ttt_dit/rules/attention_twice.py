"""TTD505."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import written

KEY, AROUND = "memory.attention", "memory.seq_modeling_block"


class AttentionTwice(Rule):
    """What: the attention is to be recomputed, and so is the sequence block, which without a mixer is the attention alone.

    Why: the sequence block consists of the attention, the mixer's two passes and their gates. With a mixer that is none, only the attention
    is left, and both keys mean the same region: the second one frees nothing that the first has not freed.

    Example: `attention = true` and `seq_modeling_block = true` with `[model.mixer] plugin = "none"`.

    Instead: one of the two.

    Fix: safe. Memory, computation and result stay what they are.
    """

    code = "TTD505"
    name = "attention-twice"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the inner region."""
        memory, mixer = stage.memory, stage.assembly.mixer
        if mixer.module is not None or not (memory.attention and memory.seq_modeling_block):
            return
        yield self.finding(
            f'{KEY} = true has no effect: with the mixer "{mixer.name}" the sequence block is the attention alone, and recomputed anyway',
            key=KEY,
            help=f"leave {KEY} out, or write {KEY} = false",
            related=written(stage, {AROUND: "this recomputes it"}),
            fix=Fix("safe", (Edit(KEY, False),)),
        )
