"""Another project's file, checked as the spec that an importer makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttdit.checker.api import check
from tttdit.checker.report import FileReport

PLUGIN = """
from tttdit import hookimpl
from tttdit.core.plugin.importing import Imported
from tttdit.core.plugin.kinds import Importer
from tttdit.core.rules import Rule


class LongClip(Rule):
    code, name, severity = "CLP001", "long-clip", "info"

    def check(self, stage):
        if stage.dims["S"] > 3:
            yield self.finding(f"{int(stage.dims['S'])} segments of a clip", key="video.height")


def read(document):
    clip = document.values["clip"]
    if clip.get("broken"):
        raise ValueError("no clip of mine")
    return Imported(
        name="clip",
        values={
            "video": {"seconds": 9, "fps": 16, "height": clip["rows"], "width": 720},
            "text": {"segments": 3, "tokens_per_segment": clip.get("words", 502), "width": 4096},
            "model": {"plugin": "ttt-dit", "preset": "5B", "mixer": {"plugin": "ttt-mlp"}},
        },
        origins={
            ("video", "height"): ("clip", "rows"),
            **({("text", "tokens_per_segment"): ("clip", "words")} if "words" in clip else {}),
        },
        words={"video.height": "clip.rows", "text.tokens_per_segment": "clip.words"},
        replaces=frozenset({"TTD202"}),
    )


@hookimpl
def tttdit_importers():
    return [
        Importer(
            name="clips",
            summary="Clips.",
            recognises=lambda path, text: "[clip]" in text,
            reader=__name__ + ":read",
            rules=__name__,
        )
    ]
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In one place for all tests: a module's name is taken once it has been imported."""
    path = tmp_path_factory.mktemp("plugins") / "clips_importer.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def check_clip(tmp_path: Path, plugin: Path):
    def checked(text: str, sets: tuple[str, ...] = ()) -> FileReport:
        clip = tmp_path / "clip.toml"
        clip.write_text(text)
        (file,) = check(clip, sets=sets, allow_plugins=[plugin]).files
        return file

    return checked


def test_a_file_is_checked_as_the_spec_that_it_is(check_clip) -> None:
    file = check_clip("[clip]\nrows = 480\n")
    assert file.findings == ()
    assert file.stages[0].name == "clip"
    assert file.stages[0].dims["L"] == 51_456


def test_findings_point_into_the_file_and_speak_its_words(check_clip) -> None:
    (finding,) = check_clip("[clip]\nrows = 480\nwords = 493\n").findings
    assert finding.code == "TTD201"
    assert finding.key == "clip.words"
    assert finding.span is not None
    assert (finding.span.line, finding.span.column) == (3, 1)
    assert "write clip.words = 374, 438 or 502;" in finding.help
    assert "text.tokens_per_segment" not in finding.help + finding.message
    assert finding.fix is not None
    assert [change.key for change in finding.fix.edits] == ["clip.words"]


def test_what_the_file_does_not_state_is_found_at_its_table(check_clip) -> None:
    (finding,) = check_clip("# a clip\n[clip]\nrows = 480\n", sets=("model.mixer.mini_batch_size=65",)).findings
    assert finding.key == "clip.words"
    assert finding.span is not None
    assert finding.span.line == 2


def test_a_fix_for_which_the_file_has_no_key_is_none(check_clip) -> None:
    findings = check_clip("[clip]\nrows = 480\n", sets=("model.heads=47",)).findings
    assert findings
    assert all(finding.fix is None for finding in findings)


def test_rules_for_which_the_importer_speaks_are_silent(check_clip) -> None:
    file = check_clip("[clip]\nrows = 480\n", sets=("text.segments=2",))
    assert file.findings == ()
    assert not file.stages[0].ok


def test_an_importer_that_fails_is_a_finding(check_clip) -> None:
    (finding,) = check_clip("[clip]\nbroken = true\n").findings
    assert finding.code == "TTD009"
    assert finding.message == 'the importer "clips" fails: ValueError: no clip of mine'


def test_rules_of_the_importer_look_at_the_stage_that_the_file_is(check_clip) -> None:
    (finding,) = check_clip("[clip]\nrows = 480\nwords = 490\n", sets=("video.seconds=15", "text.segments=5")).findings
    assert (finding.code, finding.severity) == ("CLP001", "info")
    assert finding.message == "5 segments of a clip"
    assert finding.key == "clip.rows"


def test_they_look_at_no_spec(plugin: Path) -> None:
    examples = Path(__file__).parents[2] / "examples"
    assert check(examples / "sixty-three-seconds.toml", allow_plugins=[plugin]).findings == ()


def test_a_folder_is_searched_for_what_an_importer_knows(tmp_path: Path, plugin: Path) -> None:
    for name, text in {
        "clip.toml": "[clip]\nrows = 480\n",
        "other.toml": "[clap]\n",
        "no.toml": "[clip]\n# tttdit: skip\n",
    }.items():
        (tmp_path / name).write_text(text)
    assert [Path(file.path).name for file in check(tmp_path, allow_plugins=[plugin]).files] == ["clip.toml"]
