"""TTD502."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage

# The regions of the model that hold the mixer's passes and nothing else.
PASSES = ("forward_ssm", "reverse_ssm")


class MixerRegions(Rule):
    """What: `[memory]` recomputes the mixer's pass over the sequence, and the model has no mixer.

    Why: it runs, and saves nothing: with a mixer that is none there is no such pass. Who wrote the key expects memory from it.

    Example: `forward_ssm = true` with `[model.mixer] plugin = "none"`.

    Instead: leave the key out. What the layers keep then is their attention's and their MLP's: `attention`, `mlp`, `seq_modeling_block`.

    Fix: safe. The model, its result and its memory stay what they are.
    """

    code = "TTD502"
    name = "mixer-regions"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for each pass that would be recomputed."""
        if stage.assembly.mixer.module is not None:
            return
        for name in PASSES:
            if getattr(stage.memory, name):
                key = f"memory.{name}"
                yield self.finding(
                    f'{key} = true has no effect: the mixer "{stage.assembly.mixer.name}" makes no pass over the sequence',
                    key=key,
                    help=f"leave {key} out, or write {key} = false",
                    fix=Fix("safe", (Edit(key, False),)),
                )
