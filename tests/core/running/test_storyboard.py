"""Storyboards and captions, as people write them, and as they should not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.errors import UsageError
from tttdit.core.running.captions import Captions, read_captions
from tttdit.core.running.storyboard import END, START, Scene, marked, read_storyboards

FOX = {"text": "a fox"}


def written(folder: Path, text: str, name: str = "prompts.json") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_one_and_many(tmp_path: Path) -> None:
    (one,) = read_storyboards(written(tmp_path, json.dumps([FOX, FOX])))
    assert [scene.text for scene in one.scenes] == ["a fox", "a fox"]
    two = read_storyboards(written(tmp_path, json.dumps([[FOX], {"scenes": [FOX, FOX], "name": "b", "seed": 5}])))
    assert [(len(each.scenes), each.name, each.seed) for each in two] == [(1, None, None), (2, "b", 5)]
    (named,) = read_storyboards(written(tmp_path, json.dumps({"scenes": [FOX], "name": "b"})))
    assert named.name == "b"
    lines = f"{json.dumps([FOX])}\n\n{json.dumps({'scenes': [FOX]})}\n"
    assert len(read_storyboards(written(tmp_path, lines, "prompts.jsonl"))) == 2


def test_scenes_that_change_are_marked(tmp_path: Path) -> None:
    scenes = [
        {"text": "one", "requires_scene_transition": True},
        {"text": "two", "requires_scene_transition": True, "neg_text": "dark"},
        {"text": "three"},
    ]
    (board,) = read_storyboards(written(tmp_path, json.dumps(scenes)))
    assert board.texts == ("one <end_scene>", "<start_scene> two", "three")
    assert board.negatives == ("", "dark", "")


@given(st.lists(st.tuples(st.text(alphabet="ab ", max_size=3), st.booleans()), min_size=1, max_size=8))
def test_every_change_has_an_end_and_a_start(scenes: list[tuple[str, bool]]) -> None:
    texts = marked([text for text, _ in scenes], [changes for _, changes in scenes])
    changes = [at for at in range(1, len(scenes)) if scenes[at][1]]
    assert [at for at, text in enumerate(texts) if text.startswith(START)] == changes
    assert [at + 1 for at, text in enumerate(texts) if text.endswith(END)] == changes
    assert [text.removeprefix(START).removesuffix(END).strip() for text in texts] == [
        text.strip() for text, _ in scenes
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", ":1: the storyboard has no scenes: each has a text"),
        ("{}", ":1: the storyboard has no scenes"),
        ("7", " is no storyboard: write a list of scenes, each with a text"),
        ("[1]", ':1: scene 1 is no scene: write {"text": "what is seen"}'),
        ('[{"txt": "a"}]', ":1: scene 1 has no text"),
        (
            '[\n[{"text": "]\\n"}], [{"text": "b"}\n],\n\n[{"text": "a", "x": 1}]]',
            ":5: scene 1 has a key that is not known: x",
        ),
        ('{"scenes": [{"text": 3}]}', ":1: scene 1 text is no text"),
        ('[{"text": "a"}, {"text": "b"\n}, {]', ":2:5: no JSON: Expecting property name enclosed in double quotes"),
        ('{"scenes": [{"text": "a"}], "name": "../x"}', ":1: name is no name for a file: letters, digits, dots"),
        ('{"scenes": [{"text": "a"}], "seed": -1}', ":1: seed input should be greater than or equal to 0"),
        ("[" * 100_000, ":1: no storyboard's JSON"),
    ],
)
def test_what_is_no_storyboard(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as error:
        read_storyboards(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_a_name_stands_once(tmp_path: Path) -> None:
    named = {"scenes": [FOX], "name": "b"}
    path = written(tmp_path, json.dumps([named, named], indent=1))
    with pytest.raises(UsageError, match=r'has two storyboards of the name "b": .*:2, and .*:10$'):
        read_storyboards(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_storyboards(tmp_path / "no.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe[")
    with pytest.raises(UsageError, match="is not in UTF-8"):
        read_storyboards(tmp_path / "bytes.json")


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "scenes", "name", "seed", "neg_text"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(ANY_JSON)
def test_any_json_is_read_or_refused_in_a_line(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = written(tmp_path_factory.getbasetemp(), json.dumps(value), "any.json")
    refused = ""
    try:
        read_storyboards(path)
    except UsageError as error:
        refused = str(error)
    assert "\n" not in refused


def test_captions_of_clips(tmp_path: Path) -> None:
    lines = [
        {"clip": "a.mp4", "caption": "all of it"},
        {"clip": "in/b.mp4", "captions": ["one", {"text": "two", "requires_scene_transition": True}]},
    ]
    found = read_captions(written(tmp_path, "\n".join(map(json.dumps, lines)), "captions.jsonl"))
    whole, parts = found.of(Path("elsewhere/a.mp4")), found.of(tmp_path / "in" / "b.mp4")
    assert whole is not None
    assert parts is not None
    assert (whole.of(0, 3), whole.missing(3)) == (("all of it",) * 3, 0)
    assert (parts.of(0, 3), parts.missing(3)) == (("one <end_scene>", "<start_scene> two", ""), 1)
    assert parts.of(1, 1) == ("two",)
    assert found.of(Path("c.mp4")) is None
    assert found.unused([Path("a.mp4")]) == ("in/b.mp4",)


def test_two_lines_that_may_mean_one_clip(tmp_path: Path) -> None:
    lines = '{"clip": "x/a.mp4", "caption": ""}\n{"clip": "y/a.mp4", "caption": ""}'
    found = read_captions(written(tmp_path, lines, "captions.jsonl"))
    assert found.of(tmp_path / "y" / "a.mp4") == Captions("")
    with pytest.raises(UsageError, match=r"x/a\.mp4 and y/a\.mp4 may both be a\.mp4"):
        found.of(Path("a.mp4"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", ":1: no JSON; a line is"),
        ('{"clip": "a"}', ":1: say either caption or captions; a line is"),
        ('{"clip": "a", "caption": "", "captions": []}', ":1: say either caption or captions; a line is"),
        ('{"clip": "a", "caption": 3}', ":1: caption: input should be a valid string; a line is"),
        ('{"clip": "a", "caption": ""}\n{"clip": "a", "caption": ""}', ":2: a has captions already, further up"),
    ],
)
def test_lines_that_are_no_captions(line: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, line, "captions.jsonl")
    with pytest.raises(UsageError) as error:
        read_captions(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_a_scene_without_a_caption_is_empty() -> None:
    assert Captions(None, (Scene(text="one"),)).of(0, 2) == ("one", "")
