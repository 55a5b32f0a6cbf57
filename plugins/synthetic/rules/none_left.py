"""TTD412."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import plural, written

KEY = "data.samples"


class NoneLeft(Rule):
    """What: validation holds out as many synthetic samples as there are, or more.

    Why: the last `training.validation_samples` samples are never trained on; where none is left, the run ends before its first step.

    Example: `samples = 8` with `validation_interval = 100`, which holds out 8 samples by default.

    Instead: more `samples`, which cost nothing, or fewer `training.validation_samples`.

    Fix: none; how many samples are meant, a person knows.
    """

    code = "TTD412"
    name = "none-left"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the samples."""
        samples, held_out = stage.data.samples, stage.training.validation_samples
        if not stage.training.validation_interval or samples > held_out:
            return
        yield self.finding(
            f"{samples:,} {plural(samples, 'sample')}, and validation holds out {held_out:,}: none is left to train on",
            key=KEY,
            help=f"write {KEY} = {held_out + 1} or more",
            related=written(
                stage,
                {
                    "training.validation_samples": f"{held_out:,} samples held out",
                    "training.validation_interval": "there is validation",
                },
            ),
        )
