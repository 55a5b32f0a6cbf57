"""Outlines of several structures in one atlas, as text, and what they come to."""

from __future__ import annotations

import pytest
from attrs import evolve
from small_specs import small_stage

from tttdit.checker.memory.outlining import stage_values
from tttdit.checker.memory.predicting import with_memory
from tttdit.core.stage import Stage
from tttdit.core.symbolic.atlas import Atlas
from tttdit.core.symbolic.atlas_text import atlas_of, text_of
from tttdit.core.symbolic.evaluating import Evaluation, Figures, NotWhole
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.outline import Outline, outline
from tttdit.core.symbolic.periods import Rows
from tttdit.core.symbolic.stepping import Manner, record_step
from tttdit.core.symbolic.tape import Tape

SCAN = "scan_checkpoint_group_size"
ROWS = Rows(1, 3)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return small_stage("model.layers=3", "memory.transformer_checkpoint_layer_group_size=0", f"memory.{SCAN}=4")


@pytest.fixture(scope="module")
def tapes(stage: Stage) -> dict[str, Tape]:
    manner = Manner(dtype="bfloat16")
    return {
        "nothing": record_step(stage, manner),
        "attention": record_step(with_memory(stage, {"attention": True}), manner),
    }


@pytest.fixture(scope="module")
def outlines(tapes: dict[str, Tape]) -> dict[str, Outline]:
    return {name: outline(tape, ROWS) for name, tape in tapes.items()}


@pytest.fixture
def atlas(outlines: dict[str, Outline]) -> Atlas:
    made = Atlas.empty()
    for name, one in outlines.items():
        made.add(name, one)
    return made


def test_an_atlas_says_what_the_records_say(stage: Stage, tapes: dict[str, Tape], atlas: Atlas) -> None:
    evaluation = Evaluation(atlas, stage_values(stage), int)
    for name, tape in tapes.items():
        assert evaluation.figures(name, ROWS, {SCAN: 4}) == Figures(
            tape.saved_bytes, tape.peak_bytes, tape.peak_bytes, tape.flops, tape.recompute_flops
        )


def test_what_is_asked_for_with_others_is_what_it_is_at_once(stage: Stage, atlas: Atlas) -> None:
    left, at_once = (
        Evaluation(atlas, values, lambda nbytes: -(-nbytes // 512) * 512)
        for values in (stage_values(stage), {**stage_values(stage), SCAN: 7})
    )
    for name in atlas.sheets:
        assert left.figures(name, ROWS, {SCAN: 7}) == at_once.figures(name, ROWS, {})
        assert left.figures(name, ROWS, {SCAN: 7}) != left.figures(name, ROWS, {SCAN: 1})


def test_blocks_are_larger_than_the_tensors_in_them(stage: Stage, atlas: Atlas) -> None:
    found = Evaluation(atlas, stage_values(stage), lambda nbytes: -(-nbytes // 512) * 512).figures(
        "nothing", ROWS, {SCAN: 4}
    )
    assert found.peak_in_blocks > found.peak_bytes


def test_what_came_out_even_where_it_was_recorded_may_not_hold(stage: Stage, outlines: dict[str, Outline]) -> None:
    one = outlines["nothing"]
    some = Formula.symbol("D") / 7
    atlas = Atlas.empty()
    atlas.add("a seventh", evolve(one, sizes=(some, *one.sizes[1:])))
    assert stage.dims["D"] % 7
    with pytest.raises(NotWhole, match="D/7 is 64/7"):
        Evaluation(atlas, stage_values(stage), int)


def test_what_is_alike_is_there_once(outlines: dict[str, Outline], atlas: Atlas) -> None:
    runs = sum(len(one.runs) for one in outlines.values())
    assert len(atlas.runs) < runs
    assert len(atlas.sizes) < sum(len(one.sizes) for one in outlines.values())
    before = len(atlas.runs), len(atlas.sizes), len(atlas.tasks)
    atlas.add("nothing once more", outlines["nothing"])
    assert (len(atlas.runs), len(atlas.sizes), len(atlas.tasks)) == before


def test_text_says_everything(atlas: Atlas) -> None:
    assert atlas_of(text_of(atlas)) == atlas


def test_joined_atlases_are_one(outlines: dict[str, Outline], atlas: Atlas) -> None:
    alone = Atlas.empty()
    alone.add("attention", outlines["attention"])
    joined = Atlas.empty()
    joined.add("nothing", outlines["nothing"])
    joined.join(alone)
    assert joined == atlas
    kept = joined.sheets["attention"]
    other = Atlas.empty()
    other.add("attention", evolve(outlines["nothing"]))
    joined.join(other)  # what is there stays
    assert joined.sheets["attention"] == kept
