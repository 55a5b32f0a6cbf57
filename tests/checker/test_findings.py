"""Where findings point, and how often they are said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.api import check
from tttdit.checker.report import FileReport
from tttdit.core.findings import Finding

Check = Callable[..., FileReport]


def of(file: FileReport, code: str) -> Finding:
    (finding,) = [finding for finding in file.findings if finding.code == code]
    return finding


def line(finding: Finding) -> int | None:
    return finding.span.line if finding.span is not None else None


def places(finding: Finding) -> dict[str | None, int | None]:
    return {related.key: related.span.line if related.span else None for related in finding.related}


def test_an_inherited_value_is_shown_where_it_stands(check_spec: Check) -> None:
    """The stage changes the video, and the text's length that it inherits no longer fits."""
    file = check_spec(added='\n[[stage]]\nname = "3s"\nvideo.seconds = 3\ntext.segments = 1\n')
    finding = of(file, "TTD201")
    assert (finding.stage, line(finding)) == ("3s", 11)
    assert places(finding)["text.segments"] == 24
    assert places(finding)["video.seconds"] == 23


def test_a_value_of_a_preset_is_shown_by_the_preset(check_spec: Check) -> None:
    finding = of(check_spec(sets=("model.heads=128",)), "TTD302")
    assert 16 in places(finding).values()


def test_a_value_that_nobody_wrote_is_shown_by_its_table(check_spec: Check) -> None:
    """The mini-batch of 64 is the mixer's default; the finding is about the text, and says it in words."""
    finding = of(check_spec("tokens_per_segment = 493"), "TTD201")
    assert line(finding) == 11
    assert "model.mixer.mini_batch_size" not in {key for key, at in places(finding).items() if at is not None}


def test_a_value_from_the_command_line_is_a_remark(check_spec: Check) -> None:
    finding = of(check_spec(sets=("text.tokens_per_segment=493",)), "TTD201")
    assert finding.span is None
    assert [related.message for related in finding.related if related.key == finding.key] == [
        "set on the command line: --set text.tokens_per_segment=493"
    ]


def test_what_several_stages_inherit_is_said_once(check_spec: Check) -> None:
    file = check_spec(
        sets=("memory.transformer_checkpoint_layer_group_size=4",),
        added='\n[[stage]]\nname = "a"\n[[stage]]\nname = "b"\n',
    )
    finding = of(file, "TTD501")
    assert finding.stage is None


def test_what_differs_from_stage_to_stage_is_said_for_each(check_spec: Check) -> None:
    file = check_spec(
        "tokens_per_segment = 501",
        added='\n[[stage]]\nname = "a"\n[[stage]]\nname = "b"\nvideo.seconds = 15\ntext.segments = 5\n',
    )
    assert [(finding.code, finding.stage) for finding in file.findings] == [("TTD201", "a"), ("TTD201", "b")]


def test_a_broken_stage_leaves_the_others(check_spec: Check) -> None:
    file = check_spec(added='\n[[stage]]\nname = "a"\n[[stage]]\nname = "b"\nvideo.fps = "16"\n')
    assert [(finding.code, finding.stage) for finding in file.findings] == [("TTD003", "b")]
    assert [(stage.name, stage.ok) for stage in file.stages] == [("a", True)]


def test_findings_come_in_the_order_of_the_text(check_spec: Check) -> None:
    file = check_spec("fps = 16\nfp = 1", "segments = 3\nsegment = 3", added="\n[optimiser]\n")
    assert [line(finding) for finding in file.findings] == sorted(line(finding) or 0 for finding in file.findings)
    assert len(file.findings) == 3


@pytest.mark.parametrize(
    ("right", "wrong", "meant"), [("[video]", "[vidoe]", "[video]"), ("[model.mixer]", "[model.mixr]", "mixer")]
)
def test_a_misspelt_table_is_not_missing_as_well(
    make_spec: Callable[..., str], right: str, wrong: str, meant: str
) -> None:
    path = Path(make_spec())
    path.write_text(path.read_text().replace(right, wrong))
    (finding,) = check(path).findings
    assert finding.code == "TTD002"
    assert finding.message.endswith(f"; did you mean {meant}?")


def test_stages_in_the_plural(check_spec: Check) -> None:
    (finding,) = check_spec(added='\n[[stages]]\nname = "a"\n').findings
    assert finding.message == "stages is not a key of a spec; did you mean [[stage]]?"


def test_a_missing_plugin_is_chosen_from_those_there_are(check_spec: Check) -> None:
    (finding,) = check_spec(added="\n[sampling]\nsteps = 50\n").findings
    assert finding.help == 'Write plugin = "ddim" or "dpmpp-2m-sde" under [sampling].'


def test_a_long_value_from_the_command_line_is_cut(check_spec: Check) -> None:
    (finding,) = check_spec(sets=(f"video.seconds={'[' * 9000}",)).findings
    assert len(finding.message) < 250
