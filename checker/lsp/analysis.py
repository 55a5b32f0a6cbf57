"""What is known of one version of an open file: its document, the report on it, its stages."""

from __future__ import annotations

from functools import cached_property

from attrs import frozen

from tttdit.checker.checking import Checker
from tttdit.checker.fixing import SAFE, Fixed, fix
from tttdit.checker.importing import importer_of
from tttdit.checker.inputs import is_passed_over, looks_like_a_spec
from tttdit.checker.report import FileReport, StageReport
from tttdit.checker.resolving import Resolved
from tttdit.core.plugin.importing import Imported
from tttdit.core.spec.document import Document


@frozen(slots=False)
class Analysis:
    """A text that is a spec, or that an importer knows, and what the check has to say about it."""

    checker: Checker
    document: Document
    report: FileReport

    @cached_property
    def stages(self) -> tuple[Resolved, ...]:
        """Its stages as far as they could be resolved; none where it cannot be read."""
        return self.checker.resolved(self.document)

    def report_of(self, resolved: Resolved) -> StageReport | None:
        """The check's report on one of `stages`; None for a stage that could not be made."""
        made = (one for one in self.stages if one.stage is not None)
        return next((report for one, report in zip(made, self.report.stages, strict=True) if one is resolved), None)

    @cached_property
    def imported(self) -> Imported | None:
        """What an importer makes of it, where one knows it and it can be read."""
        return self.checker.imported(self.document) if self.document.is_readable else None

    @cached_property
    def safely_fixed(self) -> Fixed | None:
        """What all its safe fixes make of it; None where there are none."""
        has_any = any(one.fix is not None and one.fix.applicability in SAFE for one in self.report.findings)
        return fix(self.checker, self.document, SAFE) if has_any else None


def analyse(checker: Checker, text: str, path: str) -> Analysis | None:
    """The analysis of a text; None for one that is no spec, such as another program's TOML, or that says `# tttdit: skip`."""
    document = Document.parse(text, path)
    if is_passed_over(document.source):
        return None
    if not looks_like_a_spec(document.source) and importer_of(document, checker.registry) is None:
        return None
    return Analysis(checker, document, checker.check(document))
