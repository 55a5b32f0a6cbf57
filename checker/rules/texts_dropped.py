"""TTD709."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.spec.tables import TrainingTable
from tttdit.core.stage import Stage

KEY = "training.text_dropout"
USUAL: float = TrainingTable.model_fields["text_dropout"].default


class TextsDropped(Rule):
    """What: every text is dropped in training.

    Why: `text_dropout` is the probability that a sample's text is replaced by zeros. With 1 the model never sees a text, and what is
    written in the storyboards has no effect on what it makes.

    Example: `text_dropout = 1.0`.

    Instead: a small share, such as 0.1: enough for guidance, which needs a model that can do without a text.

    Fix: unsafe. It is another run.
    """

    code = "TTD709"
    name = "texts-dropped"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the dropout."""
        if stage.training.text_dropout < 1:
            return
        yield self.finding(
            f"{KEY} = 1 replaces every text by zeros: the model never sees one",
            key=KEY,
            help=f"write {KEY} = {USUAL}",
            fix=Fix("unsafe", (Edit(KEY, USUAL),)),
        )
