"""`tttdit check --data`, as somebody types it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sample_files import SPEC, save, write_manifest, write_samples

from tttdit.checker import cli

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Exit code, standard output and standard error of `tttdit check` on the spec in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("spec.toml").write_text(SPEC, "utf-8")

    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["check", "spec.toml", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return called


def test_exit_codes(call: Call) -> None:
    assert call("--data")[0] == 1
    assert call()[0] == 0
    write_samples(Path(), 2)
    assert call("--data") == call()


def test_the_line_of_the_manifest_is_told_in_every_format(call: Call) -> None:
    lines = write_samples(Path(), 2)
    save(Path("1.safetensors"), latents=(16, 12, 2, 2))
    write_manifest(Path(), *lines)
    place = "clips.jsonl:2: 1.safetensors holds latents [16, 12, 2, 2]"
    for output_format in ("full", "concise", "github"):
        assert place in call("--data", "--output-format", output_format)[1].replace("%3A", ":")
    assert "= note: clips.jsonl:2: 1.safetensors" in call("--data")[1]
    (finding,) = json.loads(call("--data", "--output-format", "json")[1])["files"][0]["findings"]
    assert [(one["path"], one["span"]["line"]) for one in finding["related"] if one["path"]] == [("clips.jsonl", 2)]
    (result,) = json.loads(call("--data", "--output-format", "sarif")[1])["runs"][0]["results"]
    places = [one["physicalLocation"] for one in result["relatedLocations"]]
    assert [one["region"]["startLine"] for one in places if one["artifactLocation"]["uri"] == "clips.jsonl"] == [2]


def test_names_reach_no_terminal_as_they_are(call: Call) -> None:
    write_manifest(Path(), {"latents": "a\u202e.pt", "text": "\u001b]0;x\u0007.pt"})
    code, out, _ = call("--data")
    assert code == 1
    assert out.isascii()
    assert "\u001b" not in out


def test_a_bar_where_somebody_looks(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    write_samples(Path(), 3)
    assert call("--data")[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code, _, err = call("--data")
    assert code == 0
    assert "samples of clips.jsonl" in err
