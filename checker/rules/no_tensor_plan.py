"""TTD606."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import written

KEY = "parallelism.tp_sharding"


class NoTensorPlan(Rule):
    """What: ranks are to compute one sample together, and the model or the mixer does not say how they share its work.

    Why: which weights a rank has of its heads, and what the ranks send each other, only the plugin knows that brings the module. It says so
    in the `parallel` of its announcement (docs/plugins.md). Without it a run cannot begin.

    Example: `tp_sharding = 2` with a mixer that announces no `parallel`.

    Instead: `tp_sharding = 1`, and more shards; or a plan in the plugin.

    Fix: unsafe. One rank a sample needs more memory a rank.
    """

    code = "TTD606"
    name = "no-tensor-plan"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for each plugin without a plan."""
        ranks = stage.parallelism.tp_sharding
        if ranks == 1:
            return
        for kind, key, plugin in (
            ("model", "model.plugin", stage.assembly.model),
            ("mixer", "model.mixer.plugin", stage.assembly.mixer),
        ):
            if plugin.module is None or plugin.parallel is not None:
                continue
            yield self.finding(
                f'{ranks:,} tensor-parallel ranks cannot share the {kind} "{plugin.name}": its plugin announces no plan for that',
                key=KEY,
                help=f"write {KEY} = 1; other ranks can be shards (parallelism.dp_sharding)",
                related=written(stage, {key: f"this {kind} has no plan"}),
                fix=Fix("unsafe", (Edit(KEY, 1),)),
            )
