"""Checks documents, one after the other, with the same plugins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from tttdit.checker.examining import Examined, examine, weighed
from tttdit.checker.following import Followed
from tttdit.checker.foretelling import foretell
from tttdit.checker.importing import as_curriculum, importer_for, importer_of, read_with
from tttdit.checker.judging import judge_document
from tttdit.checker.report import FileReport, ProofReport, Scale, StageReport
from tttdit.checker.resolving import Resolved, our_rules, resolve
from tttdit.checker.selecting import Selection
from tttdit.checker.silencing import Silencer
from tttdit.checker.spec import Spec
from tttdit.checker.staging import stage_report
from tttdit.core.errors import SpecError, UsageError
from tttdit.core.findings import Finding
from tttdit.core.plugin.importing import Imported
from tttdit.core.plugin.kinds import Importer
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.defaults import DEFAULT_PLUGINS
from tttdit.core.spec.document import Document
from tttdit.core.spec.sets import Set
from tttdit.core.spec.stages import Curriculum, stages
from tttdit.core.spec.validation import once

if TYPE_CHECKING:
    from tttdit.checker.pages import Pages
    from tttdit.core.running.storyboard import Storyboard


@frozen(kw_only=True, slots=False)
class Checker:
    """What a command line says besides the files: one stage only, keys that are set, local plugins that may be used, whether to verify.

    `data` says whether to look into the files of data sources, `storyboards` have to fit a stage each; `select` and `ignore` say of which
    codes to hear (`tttdit.checker.selecting`). With `shows_memory` somebody will look at every stage's memory, which is then predicted on
    all cores.
    """

    stage: str | None = None
    sets: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    verify: Scale | None = None
    data: bool = False
    storyboards: tuple[Storyboard, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    shows_memory: bool = False
    _parsed: tuple[Set, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_parsed", tuple(Set.parse(text) for text in self.sets))

    @cached_property
    def registry(self) -> Registry:
        """The plugins there are; asked for when the first document can be read."""
        return Registry.of_environment([Path(path) for path in self.allowed])

    @cached_property
    def pages(self) -> Pages:
        """The pages about all rules, be they in force or not."""
        from tttdit.checker.pages import Pages

        return Pages.of(self.registry)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all rules, be they in force or not."""
        return self.pages.codes

    @cached_property
    def selection(self) -> Selection:
        """The codes to hear of. Raises `UsageError` for one that no rule has."""
        return Selection.of(self.select, self.ignore, self.codes) if self.select or self.ignore else Selection()

    def check(self, document: Document) -> FileReport:
        """The report on a document. Nothing is silenced of one that cannot be read, for nobody knows what else it holds.

        Raises `UsageError` if it has no such stage or cannot be given such a key, and if there is no such code to select or to ignore.
        """
        selection = self.selection
        if not document.is_readable:
            return FileReport(document.path, document.findings, (), document.text)
        every = self.curriculum(document)
        curriculum, silencer = self._chosen(every, document), Silencer(document, selection)

        def told(findings: Iterable[Finding]) -> list[Finding]:
            return silencer.told(finding for finding in findings if finding.code not in curriculum.replaced)

        findings, reports = told([*document.findings, *curriculum.findings]), list[StageReport]()
        findings += told(self._of_document(document, every))
        is_sound = not _has_errors(findings)
        looked_at = [*self._examined(curriculum)]
        for examined in looked_at:
            resolved = examined.resolved
            followed, proof, differences = self._proved(examined)
            in_files = self._in_files(examined, document)
            found = [*examined.findings, *in_files, *differences]
            left = told(found)
            findings += left
            if resolved.stage is not None:
                spoken_for = [finding for finding in found if finding.code in curriculum.replaced]
                ok = is_sound and not _has_errors([*left, *spoken_for])
                reports.append(stage_report(resolved.stage, resolved.chosen, followed, proof, examined.weighing, ok=ok))
        findings += told(self._of_storyboards(looked_at))
        # an error keeps others from being found, whose comments only seem to be without effect
        is_whole = self.stage is None and not self.sets and not _has_errors(findings)
        findings += silencer.without_effect(lambda: self.codes, lambda code: is_whole and self._looks_for(code))
        silenced = len(once(silencer.silenced))
        return FileReport(document.path, _in_order(once(findings)), tuple(reports), document.text, silenced)

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

    def resolved(self, document: Document) -> tuple[Resolved, ...]:
        """The document's stages, each as far as it could be resolved; none of a document that cannot be read."""
        return tuple(self._resolved(self._curriculum(document))) if document.is_readable else ()

    def knows(self, path: str, data: bytes) -> bool:
        """Whether an importer reads a file of this content."""
        return importer_for(path, data.decode(errors="replace"), self.registry) is not None

    def imported(self, document: Document) -> Imported | None:
        """What an importer makes of the document, where one knows it."""
        read = self._read_by_importer(document)
        return None if read is None else read[1]

    def curriculum(self, document: Document) -> Curriculum:
        """All stages of a document that can be read, be they looked at or not."""
        read = self._read_by_importer(document)
        if read is None:
            return stages(document, self._parsed, DEFAULT_PLUGINS)
        importer, imported = read
        return as_curriculum(importer, document, imported, self._parsed, DEFAULT_PLUGINS)

    def _read_by_importer(self, document: Document) -> tuple[Importer, Imported] | None:
        importer = importer_of(document, self.registry)
        return None if importer is None else (importer, read_with(importer, document, self.registry))

    def _curriculum(self, document: Document) -> Curriculum:
        """The stages that are looked at."""
        return self._chosen(self.curriculum(document), document)

    def _chosen(self, curriculum: Curriculum, document: Document) -> Curriculum:
        if self.stage is None:
            return curriculum
        chosen = tuple(one for one in curriculum.stages if one.name == self.stage)
        if not chosen and curriculum.stages:
            names = ", ".join(one.name for one in curriculum.stages)
            raise UsageError(f'{document.path} has no stage "{self.stage}" (its stages: {names})')
        return evolve(curriculum, stages=chosen)

    def _of_document(self, document: Document, curriculum: Curriculum) -> Iterator[Finding]:
        """What is to be said of it as such; of its stages, where one is chosen, of that one only."""
        for finding in judge_document(our_rules(), document, curriculum):
            if self.stage is None or finding.stage in (None, self.stage):
                yield finding

    def _examined(self, curriculum: Curriculum) -> Iterator[Examined]:
        """The stages, looked at from all sides, in their order."""
        stages: list[Examined] = []
        for resolved in self._resolved(curriculum):
            stages.append(examine(resolved, stages[-1] if stages else None))
        if self.shows_memory:
            foretell(stages)
        return map(weighed, stages)

    def _resolved(self, curriculum: Curriculum) -> Iterator[Resolved]:
        return (resolve(spec, self.registry) for spec in curriculum.stages)

    def _proved(self, examined: Examined) -> tuple[Followed, ProofReport | None, tuple[Finding, ...]]:
        """The model's shapes, and what a proof says and finds where one was asked for."""
        if self.verify is None or examined.resolved.stage is None or examined.resolved.is_open:
            return examined.followed, None, ()
        from tttdit.checker.verifying import verify

        verified = verify(examined, self.registry, self.verify)
        return verified.followed, verified.proof, verified.findings

    def _in_files(self, examined: Examined, document: Document) -> tuple[Finding, ...]:
        """What is found in the files of the stage's data source, where that was asked for."""
        if not self.data:
            return ()
        from tttdit.checker.data_files import look_into

        return look_into(examined, Path(document.path).parent)

    def _of_storyboards(self, examined: Sequence[Examined]) -> Iterator[Finding]:
        """What is to be said of storyboards that no stage fits, where there are some."""
        if self.storyboards:
            from tttdit.checker.storyboards import held_against

            yield from held_against(self.storyboards, examined)

    def _looks_for(self, code: str) -> bool:
        from tttdit.checker.storyboards import ONLY_WITH_PROMPTS
        from tttdit.checker.verifying import ONLY_VERIFIED

        if code not in self.selection or (self.verify is None and code in ONLY_VERIFIED):
            return False
        if not self.storyboards and code in ONLY_WITH_PROMPTS:
            return False
        return self.data or code not in self.pages.codes_of_data


def _has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """By their places in the text, those without one first; at one place by their codes."""

    def place(finding: Finding) -> tuple[int, int, str]:
        span = finding.span
        return (span.line, span.column, finding.code) if span is not None else (0, 0, finding.code)

    return tuple(sorted(findings, key=place))
