"""Workflow commands, as text, and read back as GitHub's runner reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.render import github
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import visible
from tttdit.checker.report import FileReport, Report
from tttdit.core.findings import Finding, Span

_COMMAND = re.compile(r"::(error|warning|notice) (.*?)::(.*)")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A command taken apart as documented: properties end at the first `::`, and are parted by commas."""
    found = _COMMAND.fullmatch(line)
    assert found is not None, line
    properties = dict(part.split("=", 1) for part in found[2].split(","))
    return found[1], {name: _unescaped(value) for name, value in properties.items()}, _unescaped(found[3])


def _unescaped(text: str) -> str:
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, character)
    return text


def test_a_command_a_finding_and_one_for_what_cannot_be_read(report: Report) -> None:
    assert list(github.render(report, Paint())) == [
        "::error title=TTD201 sequence-mini-batch,file=specs/100%25%2C a%3Ab.toml,line=4,endLine=4,col=1,endColumn=25"
        "::18,043 tokens are 100%25 wrong:%0A59 are left over (stage 3s)"
        "%0Ahelp: write text.tokens_per_segment = 498, or 434%0Aor another length",
        "::warning title=TTD603 mesh-hardware,file=specs/100%25%2C a%3Ab.toml,line=5,endLine=7::that is no list (stage 9s)",
        "::notice title=TTD011 ignore-comment,file=specs/other.toml::nothing is ignored",
        "::error title=tttdit::cannot read gone.toml: No such file or directory",
    ]


def test_files_are_named_from_the_root_of_the_repository(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workflow may run in a folder of it."""
    (tmp_path / "training" / "specs").mkdir(parents=True)
    (tmp_path / "training" / "specs" / "other.toml").touch()
    monkeypatch.chdir(tmp_path / "training")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert ",file=training/specs/other.toml::" in list(github.render(report, Paint()))[2]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "elsewhere"))
    assert ",file=specs/other.toml::" in list(github.render(report, Paint()))[2]


@given(st.text(), st.text(), st.text(min_size=1))
def test_whatever_it_says_is_one_command_that_says_it(message: str, help: str, path: str) -> None:
    finding = Finding("TTD999", "example", "error", message, help, span=Span(1, 2, 1, 3))
    (line,) = github.render(Report((FileReport(path, (finding,), ()),)), Paint())
    command, properties, told = read(line)
    assert command == "error"
    assert list(properties) == ["title", "file", "line", "endLine", "col", "endColumn"]
    assert properties["file"] == visible(path, keep="\n")
    assert told == visible(f"{message}\nhelp: {help}" if help else message, keep="\n")
