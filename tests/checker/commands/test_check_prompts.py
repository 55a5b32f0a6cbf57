"""`tttdit check --prompts`, as somebody types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from clip_specs import ONE, THREE, write_clip_spec, write_storyboards

import tttdit
from tttdit.checker import cli

Call = Callable[..., tuple[int, str, str]]

TWO = [*ONE, *ONE]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Exit code, standard output and standard error of `tttdit check --prompts` on a spec of two stages, with these storyboards."""
    monkeypatch.chdir(tmp_path)
    write_clip_spec(tmp_path)

    def called(*storyboards: object, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
        prompts = write_storyboards(tmp_path, *storyboards)
        code = cli.outcome(cli.tttdit_command, "tttdit", ["check", "clip.toml", "--prompts", prompts, *options])
        out, err = capsys.readouterr()
        return code, out, err

    return called


def findings(out: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(out)["files"][0]["findings"]
    return found


def test_storyboards_that_fit(call: Call) -> None:
    code, out, _ = call(ONE, THREE, ONE, options=("--output-format", "json"))
    assert code == 0
    assert findings(out) == []


def test_each_number_of_scenes_is_told_once(call: Call) -> None:
    code, out, _ = call(ONE, TWO, [*TWO, *TWO], TWO, options=("--output-format", "json"))
    assert code == 1
    two, four = findings(out)
    assert two["message"] == (
        "the storyboard prompts.json:1 and 1 more have 2 scenes, one a text segment, and videos of this spec have 1 (3s), 3 (9s)"
    )
    assert two["help"] == "write 1 or 3 scenes, or add a stage with text.segments = 2"
    assert two["stage"] is four["stage"] is None
    assert str(four["message"]).startswith("the storyboard prompts.json:1 has 4 scenes, ")


def test_stages_that_are_not_looked_at_do_not_count(call: Call) -> None:
    code, out, _ = call(ONE, options=("--stage", "9s", "--output-format", "concise"))
    assert code == 1
    assert "TTD717" in out
    assert "have 3 (9s)" in out


def test_many_are_counted(call: Call) -> None:
    assert "= note: and 7 more" in call(*[TWO] * 10)[1]


def test_nothing_is_said_where_a_stage_is_not_known(call: Call) -> None:
    _, out, _ = call(TWO, options=("--set", "video.seconds=0", "--output-format", "json"))
    assert "TTD717" not in [finding["code"] for finding in findings(out)]


def test_a_file_that_holds_no_storyboards(call: Call) -> None:
    code, _, err = call([{"txt": "a"}])
    assert code == 2
    assert "prompts.json:1: scene 1 has no text" in err
    assert "Traceback" not in err


def test_a_comment_silences_it_only_with_prompts(call: Call, tmp_path: Path) -> None:
    spec = tmp_path / "clip.toml"
    text = spec.read_text("utf-8")
    spec.write_text(text.replace('encoder = "hash" }', 'encoder = "hash" } # tttdit: ignore[TTD717]'), "utf-8")
    assert call(TWO)[0] == 0
    for found in (tttdit.check(spec).findings, tttdit.check(spec, prompts=tmp_path / "prompts.json").findings):
        assert [finding.code for finding in found] == []
    write_storyboards(tmp_path, ONE)
    assert [finding.code for finding in tttdit.check(spec, prompts=tmp_path / "prompts.json").findings] == ["TTD011"]
