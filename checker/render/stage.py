"""Which of a curriculum's stages a finding is about."""

from __future__ import annotations

from tttdit.checker.report import FileReport
from tttdit.core.findings import Finding

_SHOWN = 4  # names of stages


def of_stage(finding: Finding, file: FileReport) -> str:
    """` (stage 9s)`, to stand behind a message or a place; "" where the file has one stage only, or it is about the file as such."""
    if finding.stages:
        more = len(finding.stages) - _SHOWN
        return f" (stages {', '.join(finding.stages[:_SHOWN])}{f' and {more} more' if more > 0 else ''})"
    return f" (stage {finding.stage})" if file.is_curriculum and finding.stage is not None else ""
