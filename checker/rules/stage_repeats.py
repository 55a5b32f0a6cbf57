"""TTD014."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from attrs import evolve

from tttdit.checker.document_rule import DocumentRule
from tttdit.core.findings import Finding, Related
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path, join
from tttdit.core.spec.stages import Curriculum


class StageRepeats(DocumentRule):
    """What: a stage is, key by key, the stage before it.

    Why: it trains the same again, with a schedule that starts anew. That can be meant (a restart); more often the keys that were to change
    were forgotten, or went into the table of another stage.

    Example: a `[[stage]]` with nothing but a name, after a first one with nothing but a name.

    Instead: what changes from the stage before: `video.seconds`, `data.manifest`.

    Fix: none.
    """

    code = "TTD014"
    name = "stage-repeats"
    severity = "info"

    def read(self, document: Document, curriculum: Curriculum) -> Iterator[Finding]:
        """One finding at each stage that changes nothing."""
        for before, stage in pairwise(curriculum.stages):
            if before.values != stage.values:
                continue
            here: Path = ("stage", stage.index or 0)
            there: Path = ("stage", before.index or 0)
            finding = self.finding(
                f'the stage "{stage.name}" is the stage "{before.name}" once more: no key has another value',
                key=join(here),
                help="write what changes, or leave the stage out",
                related=[Related("the stage before", join(there), document.entry_span(there))],
            )
            yield evolve(finding, span=document.entry_span(here), stage=stage.name)
