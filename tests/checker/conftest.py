"""Small specs for the checker's tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.api import check
from tttdit.checker.render import full
from tttdit.checker.render.paint import Paint
from tttdit.checker.report import FileReport, Report

NINE_SECONDS = """\
name = "nine"

[video]
seconds = 9
fps = 16
height = 480
width = 720

[text]
segments = 3
tokens_per_segment = 502
width = 4096

[model]
plugin = "ttt-dit"
preset = "5B"

[model.mixer]
plugin = "ttt-mlp"
"""


@pytest.fixture
def make_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes the spec of nine seconds to `spec.toml` in the current folder, with lines exchanged and text added; its path."""
    monkeypatch.chdir(tmp_path)

    def make(*lines: str, added: str = "", text: str = NINE_SECONDS, name: str = "spec.toml") -> str:
        for line in lines:
            key = line.partition(" =")[0]
            text, count = re.subn(rf"(?m)^{re.escape(key)} = .*$", line.replace("\\", r"\\"), text, count=1)
            assert count == 1, f"there is no {key} in the spec"
        Path(name).write_text(text + added, encoding="utf-8")
        return name

    return make


@pytest.fixture
def check_spec(make_spec: Callable[..., str]) -> Callable[..., FileReport]:
    """Makes a spec as `make_spec` does, and checks it."""

    def checked(*lines: str, added: str = "", sets: tuple[str, ...] = (), stage: str | None = None) -> FileReport:
        (file,) = check(make_spec(*lines, added=added), sets=sets, stage=stage).files
        return file

    return checked


@pytest.fixture
def drawn() -> Callable[[FileReport], str]:
    """The findings of a file, as a terminal without colours shows them."""
    return lambda file: "\n".join(full.findings(Report((file,)), Paint()))
