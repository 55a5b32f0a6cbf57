"""Stages whose memory nobody has predicted yet are predicted at once, and never twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tttdit.checker.api import check_paths
from tttdit.checker.memory import known, predicting
from tttdit.checker.report import Report

TINY = Path(__file__).parents[2] / "examples" / "tiny.toml"
STAGES = 2


@pytest.fixture
def makers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the number of the process that makes a prediction, a line each; nothing is kept of what was made before."""
    made, predict = tmp_path / "makers", predicting.predict

    def told(*arguments: object, **options: object) -> object:
        with made.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return predict(*arguments, **options)

    made.touch()
    monkeypatch.setenv("TTTDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(predicting, "predict", told)
    known._predicted.cache_clear()
    return made


def looked_at() -> Report:
    report = check_paths([str(TINY)], shows_memory=True)
    assert report.ok
    report.to_json()
    return report


# As a user's process does it: one without other threads, which a test's own process may have.
CHECKED_TWICE = """
import os, sys
from pathlib import Path
from tttdit.checker.api import check_paths
from tttdit.checker.memory import predicting

made, predict = Path(sys.argv[2]), predicting.predict

def told(*arguments, **options):
    with made.open("a") as file:
        file.write(f"{os.getpid()}\\n")
    return predict(*arguments, **options)

def looked_at():
    report = check_paths([sys.argv[1]], shows_memory=True)
    assert report.ok
    report.to_json()
    return report

predicting.predict = told
report, here = looked_at(), str(os.getpid())
makers = made.read_text().split()
assert len(makers) >= int(sys.argv[3]), makers
assert here not in makers, "it was made once more"
made.write_text("")
assert looked_at() == report
assert not made.read_text(), "all is known"
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core only")
def test_stages_are_predicted_by_processes_of_their_own(tmp_path: Path) -> None:
    (made := tmp_path / "makers").touch()
    command = [sys.executable, "-c", CHECKED_TWICE, str(TINY), str(made), str(STAGES)]
    environment = os.environ | {"TTTDIT_CACHE": str(tmp_path / "cache")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("folder", ["none", "read-only"])
def test_where_nothing_can_be_kept_this_process_predicts(
    folder: str, makers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if folder == "none":
        monkeypatch.setenv("TTTDIT_CACHE", "")
    else:
        monkeypatch.setattr(os, "access", lambda *_: False)
    looked_at()
    assert set(makers.read_text().split()) == {str(os.getpid())}


def test_what_other_processes_cannot_do_this_one_does(makers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, weighed = os.getpid(), predicting.predict

    def killed_elsewhere(*arguments: object, **options: object) -> object:
        if os.getpid() != here:
            os._exit(1)
        return weighed(*arguments, **options)

    monkeypatch.setattr(predicting, "predict", killed_elsewhere)
    looked_at()
    assert set(makers.read_text().split()) == {str(here)}
