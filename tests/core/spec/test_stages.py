"""Stages: what they inherit, what they override, and where each value stands."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.errors import UsageError
from tttdit.core.findings import Span
from tttdit.core.spec.document import Document
from tttdit.core.spec.sets import Set
from tttdit.core.spec.stages import MOST_STAGES, Curriculum, StageSpec, stages


def curriculum(text: str, *sets: str, path: str = "folder/nine.toml", **options: dict[str, str]) -> Curriculum:
    document = Document.parse(dedent(text), path)
    assert document.findings == ()
    return stages(document, [Set.parse(one) for one in sets], **options)


def single(text: str, *sets: str) -> StageSpec:
    found = curriculum(text, *sets)
    assert found.findings == ()
    (stage,) = found.stages
    return stage


def line(stage: StageSpec, key: str) -> int | None:
    span = stage.located(key)
    return None if span is None else span.line


BASE = """\
name = "five"
[video]
seconds = 9
fps = 16
[model]
plugin = "ttt-dit"
width = 64
[model.mixer]
plugin = "ttt-mlp"
mini_batch_size = 64
[memory]
attention = true
[[stage]]
name = "3s"
video.seconds = 3
[[stage]]
name = "frames"
video.pixel_frames = 145
training.steps = 10
[[stage]]
name = "linear"
[stage.model.mixer]
plugin = "ttt-linear"
base_learning_rate = 1.0
"""


def test_a_spec_without_stages_is_one_that_bears_its_name() -> None:
    stage = single('name = "nine-seconds"\n[video]\nfps = 16\n')
    assert (stage.name, stage.index) == ("nine-seconds", None)
    assert stage.values == {"video": {"fps": 16}}


def test_without_a_name_it_is_called_as_its_file() -> None:
    assert single("[video]\nfps = 16\n").name == "nine"
    assert stages(Document.parse("", "<stdin>")).name == "spec"


def test_stages_override_key_by_key() -> None:
    found = curriculum(BASE)
    assert found.findings == ()
    assert found.name == "five"
    assert [stage.name for stage in found.stages] == ["3s", "frames", "linear"]
    assert found.stages[0].values == {
        "video": {"seconds": 3, "fps": 16},
        "model": {"plugin": "ttt-dit", "width": 64, "mixer": {"plugin": "ttt-mlp", "mini_batch_size": 64}},
        "memory": {"attention": True},
    }


def test_of_an_either_or_pair_the_stages_choice_replaces_the_inherited_one() -> None:
    stage = curriculum(BASE).stages[1]
    assert stage.values["video"] == {"pixel_frames": 145, "fps": 16}
    assert stage.values["training"] == {"steps": 10}
    assert not stage.wrote("video.seconds")


def test_both_of_a_pair_in_one_place_stay_both() -> None:
    assert set(single("[video]\nseconds = 9\npixel_frames = 145").values["video"]) == {"seconds", "pixel_frames"}


def test_another_plugin_starts_its_table_anew() -> None:
    stage = curriculum(BASE).stages[2]
    assert stage.values["model"] == {
        "plugin": "ttt-dit",
        "width": 64,
        "mixer": {"plugin": "ttt-linear", "base_learning_rate": 1.0},
    }
    assert line(stage, "model.mixer.mini_batch_size") == 22, "missing there: the stage's own table is around it"


def test_another_models_table_starts_anew_and_its_mixer_stays() -> None:
    stage = curriculum(BASE.replace("video.seconds = 3", "model.plugin = 'x'")).stages[0]
    assert stage.values["model"] == {"plugin": "x", "mixer": {"plugin": "ttt-mlp", "mini_batch_size": 64}}


@pytest.mark.parametrize(("plugin", "kept"), [("regions", True), ("other", False)])
def test_a_table_that_names_no_plugin_has_the_default_one(plugin: str, kept: bool) -> None:
    text = BASE.replace("video.seconds = 3", f"memory.plugin = '{plugin}'")
    stage = curriculum(text, default_plugins={"memory": "regions"}).stages[0]
    assert ("attention" in stage.values["memory"]) == kept


def test_naming_the_same_plugin_again_changes_nothing() -> None:
    stage = curriculum(BASE.replace("video.seconds = 3", "model.mixer.plugin = 'ttt-mlp'")).stages[0]
    assert stage.values["model"]["mixer"]["mini_batch_size"] == 64


def test_values_are_located_where_they_stand() -> None:
    first, frames, linear = curriculum(BASE).stages
    assert first.located("video.seconds") == Span(15, 1, 15, 18)
    assert first.value_span("video.seconds") == Span(15, 17, 15, 18)
    assert first.key_span("video.seconds") == Span(15, 7, 15, 14)
    assert line(first, "video.fps") == 4
    assert frames.located("video.pixel_frames") == Span(18, 1, 18, 25)
    assert line(frames, "model.mixer.plugin") == 9
    assert line(linear, "model.mixer.plugin") == 23
    assert line(linear, "model.width") == 7


def test_keys_that_are_not_there_are_located_at_the_table_around_them() -> None:
    first, frames, _ = curriculum(BASE).stages
    assert first.located("video.height") == Span(2, 1, 2, 8)
    assert first.located("model.mixer.nothing.at.all") == Span(8, 1, 8, 14)
    assert line(frames, "training.seed") == 19
    assert line(first, "training.seed") == 13, "other stages have the table: this one's header"
    assert line(first, "text.width") is None, "no stage has it"
    assert line(single("[video]\nfps = 1"), "text") is None


def test_items_of_arrays_are_located() -> None:
    stage = single("[optimizer]\nbetas = [0.9,\n  0.95]\n")
    assert stage.value_span("optimizer.betas[1]") == Span(3, 3, 3, 7)
    assert line(stage, "optimizer.betas[7]") == 2, "the array around it"


def test_wrote() -> None:
    first, frames, _ = curriculum(BASE).stages
    assert first.wrote("video")
    assert first.wrote("video.fps")
    assert first.wrote("video.seconds")
    assert not first.wrote("video.height")
    assert not first.wrote("video.fps.x")
    assert not first.wrote("training")
    assert frames.wrote("training.steps")


# -- --set


def test_set_beats_the_stage() -> None:
    stage = curriculum(BASE, "video.seconds=18", "optimizer.betas=[0.9, 0.99]", "data.manifest=train.jsonl").stages[0]
    assert stage.values["video"] == {"seconds": 18, "fps": 16}
    assert stage.values["optimizer"] == {"betas": [0.9, 0.99]}
    assert stage.values["data"] == {"manifest": "train.jsonl"}


def test_set_follows_the_rules_of_a_stage() -> None:
    stage = curriculum(BASE, "video.pixel_frames=49", "model.mixer.plugin=other", "model.mixer.window=3").stages[0]
    assert stage.values["video"] == {"pixel_frames": 49, "fps": 16}
    assert stage.values["model"]["mixer"] == {"plugin": "other", "window": 3}


def test_what_was_set_has_no_place_and_says_so() -> None:
    stage = curriculum(BASE, "video.seconds=18", "hardware={nodes=2}").stages[0]
    assert stage.located("video.seconds") is None
    assert stage.value_span("video.seconds") is None
    set_by = stage.set_by("video.seconds")
    assert set_by is not None
    assert set_by.text == "video.seconds=18"
    assert stage.wrote("video.seconds")
    assert stage.set_by("hardware.nodes") is not None
    assert stage.set_by("video.fps") is None
    assert line(stage, "video.fps") == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=9", 9),
        ("a.b = 1e-4", 1e-4),
        ("a.b=true", True),
        ("a.b=auto", "auto"),
        ('a.b="9"', "9"),
        ("a.b=[1, 2]", [1, 2]),
        ("a.b=", ""),
        ("a.b=x=y", "x=y"),
        ("a.b=1\nc = 2", "1\nc = 2"),
        ("a.b=" + "9" * 30, "9" * 30),
        ("a.b=/data/train set", "/data/train set"),
    ],
)
def test_a_set_value_is_toml_or_else_text(text: str, value: object) -> None:
    assert Set.parse(text) == Set(("a", "b"), value, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video.fps", "--set takes key=value, not 'video.fps'"),
        ("=3", "--set takes key=value, not '=3'"),
        ("a..b=3", "--set a..b=3: 'a..b' is not a key"),
        (
            "optimizer.betas[0]=3",
            "--set optimizer.betas[0]=3: an item of an array cannot be set alone; set the whole array",
        ),
        ("name=x", "--set name=x: a stage is chosen by --stage, and its name is not for setting"),
    ],
)
def test_a_set_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        Set.parse(text)
    assert str(raised.value) == message


def test_sets_that_do_not_go_together() -> None:
    with pytest.raises(UsageError, match=r"^--set a\.b\.c=1: a\.b has been set to a value already$"):
        curriculum("", "a.b=1", "a.b.c=1")
    assert single("", "a.b=1", "a.b=2").values == {"a": {"b": 2}}


# -- what is wrong with stages


def problems(text: str) -> list[tuple[str, str, int | None]]:
    return [(found.code, found.message, found.span and found.span.line) for found in curriculum(text).findings]


def test_stages_have_names() -> None:
    found = curriculum('[[stage]]\nname = "a"\n[[stage]]\nvideo.seconds = 3\n')
    assert [stage.name for stage in found.stages] == ["a", "stage 2"]
    (finding,) = found.findings
    assert (finding.code, finding.message, finding.key) == ("TTD004", "this stage has no name", "stage[1].name")
    assert finding.help == 'Give each stage a name of its own: name = "stage-2".'
    assert finding.span == Span(3, 1, 3, 10)


def test_names_are_unique() -> None:
    text = '[[stage]]\nname = "9s"\n[[stage]]\nname = "9s"\n[[stage]]\nname = "9S"\n'
    assert problems(text) == [
        ("TTD007", 'two stages have the name "9s"', 4),
        ("TTD007", 'the stages "9s" and "9S" differ in capitals only', 6),
    ]
    (related,) = curriculum(text).findings[0].related
    assert (related.message, related.span) == ("the first one stands here", Span(2, 1, 2, 12))


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\\b", ".hidden", " a", "a ", "a.", "con", "NUL.txt", "a\x1bb", "ä:b", "-x", "a\nb"]
)
def test_names_are_fit_for_folders(name: str) -> None:
    document = Document("spec.toml", "", {"stage": [{"name": name}]})
    (finding,) = stages(document).findings
    assert finding.code == "TTD003"
    assert finding.message.endswith("cannot be the name of a folder")


def test_other_names_that_will_not_do() -> None:
    assert problems("[[stage]]\nname = 9\n") == [("TTD003", "the name 9 is not text", 2)]
    assert problems('name = ""\n') == [("TTD003", 'the name "" is empty', 1)]
    assert problems(f'name = "{"a" * 101}"\n')[0][1].endswith("is longer than 100 characters")
    assert problems('name = "9 s, v1"\n') == [("TTD003", 'the name "9 s, v1" cannot be the name of a folder', 1)]
    assert problems('name = "9 s_v1.2+x-y"\n') == []


@pytest.mark.parametrize("text", ["stage = 3", "[stage]\nname = 'a'", "stage = []", "stage = [1]"])
def test_stage_is_an_array_of_tables(text: str) -> None:
    found = curriculum(text)
    assert found.stages == ()
    assert [(finding.code, finding.message) for finding in found.findings] == [
        ("TTD003", "stage is not an array of tables")
    ]


def test_there_is_an_end_to_stages() -> None:
    text = "".join(f"[[stage]]\nname = 's{index}'\n" for index in range(MOST_STAGES + 1))
    assert problems(text) == [("TTD003", "there are 1,001 stages, expected at most 1,000", 2 * MOST_STAGES + 1)]


# -- a law: every value in force is the last layer's that has it, and stands where it is located

TABLES = st.dictionaries(
    st.sampled_from(["training", "optimizer", "text"]),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), max_size=3),
    max_size=3,
)


def written(tables: dict[str, dict[str, int]], prefix: str = "") -> str:
    return "".join(
        f"[{prefix}{name}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
        for name, table in tables.items()
    )


@given(TABLES, st.lists(TABLES, min_size=1, max_size=3))
def test_the_last_layer_wins_and_is_where_the_value_is_located(
    base: dict[str, dict[str, int]], layers: list[dict[str, dict[str, int]]]
) -> None:
    text = written(base) + "".join(
        f"[[stage]]\nname = 's{index}'\n{written(layer, 'stage.')}" for index, layer in enumerate(layers)
    )
    found = curriculum(text)
    assert found.findings == ()
    for stage, layer in zip(found.stages, layers, strict=True):
        expected = {name: {**base.get(name, {}), **layer.get(name, {})} for name in {**base, **layer}}
        assert stage.values == expected
        for name, table in expected.items():
            for key, value in table.items():
                span = stage.located(f"{name}.{key}")
                assert span is not None
                assert stage.document.lines[span.line - 1] == f"{key} = {value}"
                in_stage = span.line > text[: text.index("[[stage]]")].count("\n")
                assert in_stage == (key in layer.get(name, {}))
