"""TTD013."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from tttdit.checker.document_rule import DocumentRule
from tttdit.core.findings import Finding, Fix, Related, Removal
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path, join
from tttdit.core.spec.sets import Set
from tttdit.core.spec.stages import Curriculum


class BaseWithoutEffect(DocumentRule):
    """What: no stage has the value that a key of the base states: each states its own.

    Why: it is harmless, and misleads: who changes the value changes nothing, for the base is no stage itself, only what stages inherit.

    Example: `[training] steps = 1000` above three `[[stage]]`, each with `training.steps` of its own.

    Instead: leave it out, or out of the stage that was meant to have it.

    Fix: shown only. Without the key every stage is what it was; but it may be there for a stage that is still to be written.
    """

    code = "TTD013"
    name = "base-without-effect"
    severity = "info"

    def read(self, document: Document, curriculum: Curriculum) -> Iterator[Finding]:
        """One finding for each key, at the base."""
        stages = curriculum.stages
        if not stages or any(stage.index is None for stage in stages):
            return
        for path in _leaves({key: value for key, value in document.values.items() if key not in ("name", "stage")}):
            first = stages[0].origin(path)
            if not isinstance(first, tuple) or not all(_is_own(stage.origin(path), path) for stage in stages):
                continue
            key = join(path)
            count = "the only stage states its" if len(stages) == 1 else f"all {len(stages):,} stages state their"
            finding = self.finding(
                f"{key} has no effect here: {count} own",
                key=key,
                help=f"leave {key} out of the base",
                related=[Related("the first of them", join(first), document.entry_span(first))],
                fix=Fix("shown", (Removal(key),)),
            )
            yield evolve(finding, span=document.entry_span(path))


def _is_own(origin: Path | Set | None, path: Path) -> bool:
    """Whether a stage states a key of the base itself; not where it lacks the key, or the command line decides."""
    return isinstance(origin, tuple) and origin != path


def _leaves(values: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """The paths of all values that are no tables."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)
