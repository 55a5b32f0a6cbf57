"""Its rule, which has no laws."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage


class PretrainedWidth(Rule):
    """What: the model has another width than the mixer's pretrained weights."""

    code = "WID001"
    name = "pretrained-width"

    def check(self, stage: Stage) -> Iterator[Finding]:
        if stage.mixer.pretrained and stage.model.width != 3072:
            yield self.finding("the pretrained weights have a width of 3,072", key="model.width")
