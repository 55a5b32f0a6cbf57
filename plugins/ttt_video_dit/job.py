"""A job file as its rules see it: every section with the code's defaults filled in, and where each key stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from tttdit.core.findings import Finding, Fix, Related, Severity, Span
from tttdit.core.rules import Rule
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.keys import Path
from tttdit.plugins.ttt_video_dit.tables import (
    OF_SAMPLING,
    CheckpointSection,
    DenoiserSection,
    DiscretizationSection,
    EvalSection,
    GuiderSection,
    JobSection,
    ModelSection,
    OptimizerSection,
    ParallelismSection,
    RematSection,
    TrainingSection,
)


@frozen(kw_only=True)
class Job:
    """A job. Keys are texts such as `model.size`, as that code has them; a misspelled one in the file is the one that was meant.

    `sections` has where the file's sections stand, `places` where the keys stand that it states. A key in `doubtful` has a value that
    cannot be believed (a TODO, a wrong type); its section has the default instead.
    """

    document: Document = field(repr=False)
    sections: Mapping[str, Path]
    places: Mapping[str, Path]
    doubtful: frozenset[str]

    job: JobSection
    model: ModelSection
    training: TrainingSection
    optimizer: OptimizerSection
    checkpoint: CheckpointSection
    parallelism: ParallelismSection
    remat: RematSection
    eval: EvalSection
    guider: GuiderSection
    denoiser: DenoiserSection
    discretization: DiscretizationSection

    @property
    def samples(self) -> bool:
        """Whether it samples videos; else it trains."""
        return any(section in self.sections for section in OF_SAMPLING)

    def states(self, key: str) -> bool:
        """Whether the file has the key, whatever its value."""
        return key in self.places

    def names(self, key: str) -> bool:
        """Whether the file has a path for the key; an empty one is none, a TODO will be one."""
        section, _, name = key.partition(".")
        return key in self.places and (key in self.doubtful or bool(getattr(getattr(self, section), name)))

    def key(self, key: str) -> str:
        """The key as the file has it, or would have it."""
        section, _, name = key.partition(".")
        return keys.join(self.places.get(key, (*self.sections.get(section, (section,)), name)))

    def span(self, key: str) -> Span | None:
        """Where `key = value` stands, or else the header of its section, or that of `[model]`; None where the file has none of them."""
        if key in self.places:
            return self.document.entry_span(self.places[key])
        around = [self.sections[name] for name in (key.partition(".")[0], "model") if name in self.sections]
        return self.document.table_span(around[0]) if around else None

    def written(self, key: str) -> str:
        """The value of a key that the file states, as it stands there; of one over several lines, the first."""
        span = self.document.value_span(self.places[key])
        return self.document.excerpt(span) if span is not None else ""

    def finding(
        self,
        rule: Rule,
        message: str,
        *,
        key: str,
        help: str = "",
        related: Mapping[str, str] | None = None,
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of a rule at a key of the job; `related` has messages for other keys, of which those count that the file states."""
        return Finding(
            rule.code,
            rule.name,
            severity or rule.severity,
            message,
            help,
            self.key(key),
            self._related(related or {}),
            fix,
            self.span(key),
        )

    def _related(self, messages: Mapping[str, str]) -> Iterable[Related]:
        return [
            Related(message, self.key(key), self.span(key)) for key, message in messages.items() if key in self.places
        ]
