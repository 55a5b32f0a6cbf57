"""TTD710."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.spec.tables import TrainingTable
from tttdit.core.stage import Stage
from tttdit.core.wording import written

KEY, SCALE = "training.text_dropout", "sampling.guidance_scale"
USUAL: float = TrainingTable.model_fields["text_dropout"].default


class UntrainedGuidance(Rule):
    """What: the spec samples with guidance, and trains without dropping a text.

    Why: guidance moves a sample from what the model makes of the negative text, which says little or nothing, towards what it makes of the
    text. A model that has seen a full text with every video in training knows nothing of the former, and is moved away from noise.

    Example: `text_dropout = 0.0` beside `[sampling] guidance_scale = 6.0`.

    Instead: `text_dropout = 0.1`, or `guidance_scale = 0.0`.

    Fix: unsafe. It writes the usual dropout, which is another run.
    """

    code = "TTD710"
    name = "untrained-guidance"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the dropout."""
        scale = stage.sampling.guidance_scale
        if stage.training.text_dropout > 0 or scale == 0:
            return
        yield self.finding(
            f"{KEY} = 0 and {SCALE} = {scale:g}: guidance needs a model that was sometimes trained without a text",
            key=KEY,
            help=f"write {KEY} = {USUAL}, or {SCALE} = 0",
            related=written(stage, {SCALE: "sampled with guidance"}),
            fix=Fix("unsafe", (Edit(KEY, USUAL),)),
        )
