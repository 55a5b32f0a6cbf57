"""TTD703."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import written


class NothingLearns(Rule):
    """What: every learning rate is 0, from the first step to the last.

    Why: AdamW's step, weight decay included, is multiplied by the learning rate. Gradients and moments are computed and held in memory, and
    the parameters stay what they were.

    Example: `lr = 0` in a spec whose mixer is none; `lr = 0` and `lr_mixer = 0`.

    Instead: a learning rate above 0 for what is to be trained (`lr` alone may be 0, while the mixers learn).

    Fix: none; which rate was meant, a person knows.
    """

    code = "TTD703"
    name = "nothing-learns"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the rate of everything but the mixers."""
        optimizer, has_mixer = stage.optimizer, stage.assembly.mixer.module is not None
        if optimizer.lr or optimizer.lr_end or (has_mixer and optimizer.lr_mixer):
            return
        rates = "optimizer.lr and optimizer.lr_mixer are" if has_mixer else "optimizer.lr is"
        yield self.finding(
            f"{rates} 0 in every step: no parameter would change",
            key="optimizer.lr",
            help="write a learning rate above 0",
            related=written(stage, {"optimizer.lr_mixer": "the mixers' is 0 too"}) if has_mixer else (),
        )
