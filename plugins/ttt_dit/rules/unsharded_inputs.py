"""TTD504."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import written

KEY = "memory.shard_transformer_inputs"


class UnshardedInputs(Rule):
    """What: the inputs of layer groups are to be sharded, and there is no tensor parallelism.

    Why: the inputs that a recomputed layer group keeps can be sharded over the ranks that compute one sample together. With
    `tp_sharding = 1` there is one such rank: the key has no effect, and saves no memory.

    Example: `shard_transformer_inputs = true` with `tp_sharding = 1`.

    Instead: leave the key out, or `tp_sharding` above 1.

    Fix: safe. The run and its memory stay what they are.
    """

    code = "TTD504"
    name = "unsharded-inputs"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the key."""
        if not stage.memory.shard_transformer_inputs or stage.parallelism.tp_sharding > 1:
            return
        yield self.finding(
            f"{KEY} = true has no effect: with parallelism.tp_sharding = 1 there are no ranks to shard over",
            key=KEY,
            help=f"leave {KEY} out, or write {KEY} = false",
            related=written(stage, {"parallelism.tp_sharding": "one rank computes a sample"}),
            fix=Fix("safe", (Edit(KEY, False),)),
        )
