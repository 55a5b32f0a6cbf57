"""TTD601."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.laws import Divisible, Law, nearest
from tttdit.core.rules import Rule
from tttdit.core.solving.nearby import nearby
from tttdit.core.stage import Stage
from tttdit.core.wording import either
from tttdit.plugins.ttt_dit.rules.heads import place

KEY = "parallelism.tp_sharding"


class HeadsTensorParallel(Rule):
    """What: the heads cannot be shared out over the tensor-parallel ranks.

    Why: each rank of a tensor-parallel group computes its own heads, in the attention and in the mixer, and all have equally many.
    (Lengths of the sequence need not come out; they are sharded unevenly.)

    Example: 48 heads with `tp_sharding = 5`.

    Instead: a divisor of the number of heads: 1, 2, 3, 4, 6, 8 ...

    Fix: unsafe. Another mesh of ranks is another run, though its results are the same but for rounding.
    """

    code = "TTD601"
    name = "heads-tp"

    def laws(self, stage: Stage) -> list[Law]:
        """A is a multiple of the ranks."""
        return [Divisible(stage.dims.symbol("A"), stage.dims.symbol("tp"))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the mesh."""
        heads, ranks = int(stage.dims["A"]), stage.parallelism.tp_sharding
        if heads % ranks == 0:
            return
        values = nearby(stage, "tp", self.laws(stage))
        where = place(stage, "model.heads")
        yield self.finding(
            f"A = {heads:,} heads cannot be shared by {ranks:,} tensor-parallel ranks: {heads % ranks:,} left over",
            key=KEY,
            help=f"write {KEY} = {either(values)}",
            related=[Related(f"A = {heads:,} heads", where)] if stage.wrote(where) else [],
            fix=Fix("unsafe", (Edit(KEY, nearest(values, ranks, 1)[0]),)),
        )
