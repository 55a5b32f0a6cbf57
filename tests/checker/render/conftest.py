"""A report with everything that a format may have to show, made by hand."""

from __future__ import annotations

import pytest

from tttdit.checker.report import FileReport, Report
from tttdit.core.findings import Edit, Finding, Fix, Related, Span

TEXT = 'name = "example"\n\n[text]\ntokens_per_segment = 493\nsegments = [\n  1,\n]\n'


@pytest.fixture
def report() -> Report:
    """Two files: one with an error in two stages and a warning over several lines, one with a remark about the file as a whole."""
    error = Finding(
        "TTD201",
        "sequence-mini-batch",
        "error",
        "18,043 tokens are 100% wrong:\n59 are left over",
        "write text.tokens_per_segment = 498, or 434\nor another length",
        "text.tokens_per_segment",
        (
            Related("S = 1", "text.segments", Span(5, 1, 7, 2)),
            Related("the model reads it here", None, Span(7, 5, 7, 9), "plugins/my mixer/module.py"),
            Related("b = 64, the default", "model.mixer.mini_batch_size"),
        ),
        Fix("safe", (Edit("text.tokens_per_segment", 498),)),
        Span(4, 1, 4, 25),
        "3s",
    )
    warning = Finding(
        "TTD603", "mesh-hardware", "warning", "that is no list", key="text.segments", span=Span(5, 1, 7, 2), stage="9s"
    )
    remark = Finding("TTD011", "ignore-comment", "info", "nothing is ignored")
    return Report(
        (
            FileReport("specs/100%, a:b.toml", (error, warning), (), TEXT),
            FileReport("specs/other.toml", (remark,), (), "name = 1\n"),
        ),
        ("cannot read gone.toml: No such file or directory",),
    )
