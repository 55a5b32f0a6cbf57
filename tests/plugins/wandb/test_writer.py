"""Held against a stand-in for the package, which needs an account or a service process."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tttdit.core.errors import UsageError
from tttdit.plugins.wandb.spec import WandbTable
from tttdit.plugins.wandb.writer import WandbWriter


class Run:
    """What `wandb.init` gives."""

    def __init__(self, **about: Any) -> None:
        self.about, self.url = about, "https://wandb.example/run"
        self.logged: list[dict[str, Any]] = []
        self.axes: list[tuple[str, str]] = []
        self.finished = False

    def log(self, values: dict[str, Any]) -> None:
        self.logged.append(values)

    def define_metric(self, name: str, step_metric: str) -> None:
        self.axes.append((name, step_metric))

    def finish(self) -> None:
        self.finished = True


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    made: list[Run] = []

    def init(**about: Any) -> Run:
        made.append(Run(**about))
        return made[-1]

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    return made


def folder_of_a_run(tmp_path: Path) -> Path:
    (tmp_path / "spec.toml").write_text('name = "tiny"\n')
    return tmp_path


def test_a_run_that_goes_on_is_the_same_run_there(runs: list[Run], tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        WandbWriter(WandbTable(plugin="wandb", project="films"), folder_of_a_run(tmp_path), said.append).close()
    first, second = runs
    assert first.about == second.about
    assert first.about["id"]
    assert (first.about["project"], first.about["resume"], first.about["config"]) == (
        "films",
        "allow",
        {"name": "tiny"},
    )
    assert said == ["wandb: https://wandb.example/run"] * 2
    assert first.finished


def test_stages_have_axes_of_their_own(runs: list[Run], tmp_path: Path) -> None:
    writer = WandbWriter(WandbTable(plugin="wandb", log_interval=2), folder_of_a_run(tmp_path), lambda line: None)
    for step in (1, 2, 3):
        writer.write({"time": 0.0, "stage": "9s", "step": step, "steps": 3, "loss": 0.5, "peak_bytes": None})
    writer.write({"time": 0.0, "stage": "9s", "step": 3, "validation_loss": 0.25})
    assert runs[0].axes == [("9s/*", "9s/step")]
    assert runs[0].logged == [
        {"9s/step": 2, "9s/loss": 0.5},
        {"9s/step": 3, "9s/loss": 0.5},
        {"9s/step": 3, "9s/validation_loss": 0.25},
    ]


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UsageError, match=r'plugin = "wandb" needs the package: pip install "tttdit\[wandb\]"'):
        WandbWriter(WandbTable(plugin="wandb"), folder_of_a_run(tmp_path), print)
