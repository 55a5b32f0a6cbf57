"""Where the fix of a finding is written in a spec with stages, so that no stage notices with which nothing is wrong."""

from __future__ import annotations

import pytest

from tttdit.core.findings import Change, Edit, Finding, Fix, Removal, Renaming, Replacement, Span
from tttdit.core.spec.document import Document
from tttdit.core.spec.placing import placements
from tttdit.core.spec.sets import Set
from tttdit.core.spec.stages import StageSpec, stages

TEXT = """\
[video]
fps = 16
heigth = 480
betas = [0.9, 0.99]

[[stage]]
name = "a"

[[stage]]
name = "b"
video.width = 720
video.heigth = 640

[[stage]]
name = "c"
video.fps = 8
"""


def every(text: str = TEXT, sets: tuple[Set, ...] = ()) -> tuple[StageSpec, ...]:
    return stages(Document.parse(text), sets).stages


def placed(
    *changes: Change, about: tuple[str, ...], text: str = TEXT, sets: tuple[Set, ...] = ()
) -> list[list[Change]]:
    stage, several = (about[0], ()) if len(about) == 1 else (None, about)
    finding = Finding("X1", "x", "error", "x", fix=Fix("safe", changes), stage=stage, stages=several)
    return [list(found) for found in placements(finding, every(text, sets))]


def test_a_value_that_a_stage_has_itself_is_changed_there() -> None:
    assert placed(Edit("video.fps", 12), about=("c",)) == [[Edit("stage[2].video.fps", 12)]]


def test_a_value_that_it_inherits_with_others_is_overridden() -> None:
    assert placed(Edit("video.fps", 12), about=("a",)) == [[Edit("stage[0].video.fps", 12)]]


def test_a_value_that_all_who_inherit_it_have_wrong_is_changed_in_the_base() -> None:
    first, second = placed(Edit("video.fps", 12), about=("a", "b"))
    assert first == [Edit("video.fps", 12)]
    assert second == [Edit("stage[0].video.fps", 12), Edit("stage[1].video.fps", 12)]


def test_a_value_of_one_stage_and_the_one_that_the_others_inherit() -> None:
    first, *_ = placed(Edit("video.fps", 12), about=("a", "b", "c"))
    assert first == [Edit("video.fps", 12), Edit("stage[2].video.fps", 12)] or first == [
        Edit("stage[2].video.fps", 12),
        Edit("video.fps", 12),
    ]


def test_a_key_that_nobody_has_written() -> None:
    assert placed(Edit("video.height", 480), about=("a",)) == [[Edit("stage[0].video.height", 480)]]
    assert placed(Edit("video.height", 480), about=("a", "b", "c"))[0] == [Edit("video.height", 480)]


def test_an_item_of_an_inherited_array_takes_the_whole_array_with_it() -> None:
    assert placed(Edit("video.betas[1]", 0.95), about=("a",)) == [[Edit("stage[0].video.betas", [0.9, 0.95])]]
    assert placed(Edit("video.betas[1]", 0.95), about=("a", "b", "c"))[0] == [Edit("video.betas[1]", 0.95)]


def test_what_is_inherited_with_others_cannot_go_away_for_one_stage() -> None:
    assert placed(Removal("video.fps"), about=("a",)) == []
    assert placed(Removal("video.fps"), about=("a", "b")) == [[Removal("video.fps")]]
    assert placed(Removal("video.fps"), about=("c",)) == [[Removal("stage[2].video.fps")]]


def test_a_table_is_renamed_wherever_the_stages_add_to_it() -> None:
    text = '[vdeo]\nfps = 16\n[[stage]]\nname = "a"\n[[stage]]\nname = "b"\nvdeo.fps = 8\n'
    assert placed(Renaming("vdeo", "video"), about=("a", "b"), text=text) == [
        [Renaming("vdeo", "video"), Renaming("stage[1].vdeo", "video")]
    ]
    assert placed(Renaming("vdeo", "video"), about=("a",), text=text) == []


def test_what_the_command_line_sets_has_no_place() -> None:
    assert placed(Edit("video.fps", 12), about=("a",), sets=(Set.parse("video.fps=15"),)) == []


def test_other_text_stands_where_it_stands() -> None:
    change = Replacement(Span(1, 1, 1, 2), "x")
    assert placed(change, about=("a",)) == [[change]]


@pytest.mark.parametrize("stage", [None, "spec"])
def test_without_stages_the_keys_are_those_of_the_document(stage: str | None) -> None:
    finding = Finding("X1", "x", "error", "x", fix=Fix("safe", (Edit("video.fps", 12),)), stage=stage)
    document = Document.parse("[video]\nfps = 16\n", "spec.toml")
    assert list(placements(finding, stages(document).stages)) == [(Edit("video.fps", 12),)]
    assert list(placements(Finding("X1", "x", "error", "x"), every())) == []
