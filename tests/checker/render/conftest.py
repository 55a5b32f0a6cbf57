"""A report with everything that a format may have to show, made by hand; and a small model's step with its settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.checking import Checker
from tttdit.checker.memory.predicting import predict, tape_of
from tttdit.checker.memory.settings import Outlook, own_setting, settings
from tttdit.checker.memory.stage_view import StageView
from tttdit.checker.memory.surveying import Survey
from tttdit.checker.report import FileReport, Report
from tttdit.core.findings import Edit, Finding, Fix, Related, Span
from tttdit.core.spec.document import read

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


SMALL = """\
name = "{name}"

[video]
seconds = 3
fps = 16
height = 64
width = 96

[text]
segments = 1
tokens_per_segment = 12
width = 32

[model]
plugin = "ttt-dit"
width = 64
heads = 2
layers = 3

[model.mixer]
plugin = "ttt-mlp"
mini_batch_size = 4

[memory]
attention = true
transformer_checkpoint_layer_group_size = 1

[hardware]
gpu = "H100-80GB"
"""


def made_up(stage, setting, number, prediction) -> Outlook:
    """An outlook that looks like one; what is drawn of it does not depend on where it comes from."""
    return Outlook(
        setting=setting,
        saved_bytes=prediction.saved_bytes + number,
        peak_bytes=prediction.peak_bytes + 1000 * number,
        total_bytes=prediction.total_bytes + 5000 * number,
        recompute_flops=max(prediction.flops - 3_000_000 * number, 0),
        flops=2 * prediction.flops,
        reserved_bytes=None,
        fits=None,
    )


@pytest.fixture
def make_views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[StageView]]:
    """The views of the stages of a small spec, `spec.toml` in the current folder."""
    monkeypatch.chdir(tmp_path)

    def make(runtime="plain", name="small", added="") -> list[StageView]:
        Path("spec.toml").write_text(SMALL.format(name=name) + added, encoding="utf-8")
        views = []
        for resolved in Checker().resolved(read("spec.toml")):
            stage = resolved.stage
            assert stage is not None, resolved.findings
            tape = tape_of(stage, device="cuda", dtype="bfloat16", runtime=runtime, lines=True)
            prediction = predict(stage, device="cuda", dtype="bfloat16", runtime=runtime)
            outlooks = [made_up(stage, one, at, prediction) for at, one in enumerate(settings(stage)[:40])]
            own = made_up(stage, own_setting(stage), 17, prediction)
            survey = Survey(
                stage=stage,
                prediction=prediction,
                own=own,
                outlooks=tuple(outlooks),
                searched=len(outlooks),
                budget_bytes=prediction.total_bytes + prediction.outside_bytes + 100_000,
            )
            places = resolved.locator.line_of
            views.append(StageView(stage=stage, tape=tape, prediction=prediction, survey=survey, places=places))
        return views

    return make
