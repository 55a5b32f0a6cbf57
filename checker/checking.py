"""Checks documents, one after the other, with the same plugins."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from attrs import evolve, field, frozen

from tttdit.checker.examining import Examined, examine
from tttdit.checker.importing import as_curriculum, importer_of, read_with
from tttdit.checker.report import FileReport, Scale, StageReport
from tttdit.checker.resolving import Resolved, resolve
from tttdit.checker.spec import Spec
from tttdit.checker.staging import stage_report
from tttdit.core.errors import SpecError, UsageError
from tttdit.core.findings import Finding
from tttdit.core.plugin.importing import Imported
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.defaults import DEFAULT_PLUGINS
from tttdit.core.spec.document import Document
from tttdit.core.spec.sets import Set
from tttdit.core.spec.stages import Curriculum, stages
from tttdit.core.spec.validation import once
from tttdit.core.stage import Stage


@frozen(kw_only=True, slots=False)
class Checker:
    """What a command line says besides the files: one stage only, keys that are set, local plugins that may be used, whether to verify."""

    stage: str | None = None
    sets: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    verify: Scale | None = None
    _parsed: tuple[Set, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_parsed", tuple(Set.parse(text) for text in self.sets))

    @cached_property
    def registry(self) -> Registry:
        """The plugins there are; asked for when the first document can be read."""
        return Registry.of_environment([Path(path) for path in self.allowed])

    def check(self, document: Document) -> FileReport:
        """The report on a document. Raises `UsageError` if it has no such stage, or cannot be given such a key."""
        if not document.is_readable:
            return FileReport(document.path, document.findings, (), document.text)
        curriculum = self._curriculum(document)
        findings, reports = [*document.findings, *curriculum.findings], list[StageReport]()
        is_sound = not any(finding.severity == "error" for finding in findings)
        before: Stage | None = None
        for resolved in self._resolved(curriculum):
            examined = examine(resolved, before)
            before = resolved.stage
            findings += examined.findings
            reports += self._reported(examined, findings, is_sound)
        told = [finding for finding in findings if finding.code not in curriculum.replaced]
        return FileReport(document.path, _in_order(once(told)), tuple(reports), document.text)

    def load(self, document: Document) -> Spec:
        """The spec that a document is. Raises `SpecError` if it is none."""
        if document.findings:
            raise SpecError(document.path, document.findings)
        curriculum = self._curriculum(document)
        resolved = list(self._resolved(curriculum))
        findings = _in_order(once([*curriculum.findings, *(f for one in resolved for f in one.findings)]))
        found = [one.stage for one in resolved if one.stage is not None]
        if any(finding.severity == "error" for finding in findings):
            raise SpecError(document.path, findings)
        return Spec(
            name=curriculum.name,
            document=document,
            stages=tuple(found),
            sets=self.sets,
            allowed=self.allowed,
        )

    def imported(self, document: Document) -> Imported | None:
        """What an importer makes of the document, where one knows it."""
        importer = importer_of(document, self.registry)
        return None if importer is None else read_with(importer, document, self.registry)

    def _curriculum(self, document: Document) -> Curriculum:
        imported = self.imported(document)
        if imported is None:
            curriculum = stages(document, self._parsed, DEFAULT_PLUGINS)
        else:
            curriculum = as_curriculum(document, imported, self._parsed, DEFAULT_PLUGINS)
        if self.stage is None:
            return curriculum
        chosen = tuple(one for one in curriculum.stages if one.name == self.stage)
        if not chosen and curriculum.stages:
            names = ", ".join(one.name for one in curriculum.stages)
            raise UsageError(f'{document.path} has no stage "{self.stage}" (its stages: {names})')
        return evolve(curriculum, stages=chosen)

    def _resolved(self, curriculum: Curriculum) -> Iterator[Resolved]:
        return (resolve(spec, self.registry) for spec in curriculum.stages)

    def _reported(self, examined: Examined, findings: list[Finding], is_sound: bool) -> list[StageReport]:
        """The report on a stage, if it is one; what its proof finds is added to the findings. `is_sound`: the file as such has no errors."""
        resolved = examined.resolved
        if resolved.stage is None:
            return []
        if self.verify is None:
            return [stage_report(resolved.stage, resolved.chosen, examined.followed, ok=examined.ok and is_sound)]
        from tttdit.checker.verifying import verify

        verified = verify(examined, self.registry, self.verify)
        findings += verified.findings
        ok = examined.ok and is_sound and verified.proof.agrees is not False
        return [stage_report(resolved.stage, resolved.chosen, verified.followed, verified.proof, ok=ok)]


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """By their places in the text, those without one first; at one place by their codes."""

    def place(finding: Finding) -> tuple[int, int, str]:
        span = finding.span
        return (span.line, span.column, finding.code) if span is not None else (0, 0, finding.code)

    return tuple(sorted(findings, key=place))
