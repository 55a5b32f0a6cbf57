"""Which files are jobs: by their content alone, whatever it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tttdit.plugins.ttt_video_dit.recognising import recognises

ROOT = Path(__file__).parents[3]
SPECS = sorted(path for path in (ROOT / "examples").rglob("*.toml") if path.parent.name != "jobs")
JOBS = sorted((ROOT / "examples" / "jobs").glob("*.toml"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_is_no_job(path: Path) -> None:
    assert not recognises("9s.toml", path.read_text())


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_a_job_is_one(path: Path) -> None:
    assert recognises("spec.toml", path.read_text())


def test_a_misspelled_section_hides_no_job(training: str) -> None:
    for section in ("job", "model", "training", "checkpoint"):
        assert recognises("x.toml", training.replace(f"[{section}]", f"[{section}x]"))


@pytest.mark.parametrize("text", ['model.video_length = "9sec"', "[ eval ]", "[[remat]]", "  [wandb] # a comment"])
def test_one_word_of_a_job_is_enough_where_there_is_none_of_a_spec(text: str) -> None:
    assert recognises("x.toml", text)


def test_what_outweighs_decides(training: str) -> None:
    """A spec with a stray section stays a spec, and a job with one stays a job."""
    spec = (ROOT / "examples" / "nine-seconds.toml").read_text()
    assert not recognises("x.toml", spec + "\n[wandb]\nproject = 1\n")
    assert recognises("x.toml", training + "\n[video]\nseconds = 9\n")


@pytest.mark.parametrize("text", ["", "[training]\nsteps = 5\n", "# [job]\nx = '[eval]'\n", "\0\x01[", "[job"])
def test_what_is_neither_is_no_job(text: str) -> None:
    assert not recognises("x.toml", text)


@pytest.mark.parametrize(
    "text", [" " * 4_000_000, "a." * 2_000_000, "[" * 4_000_000, "\n" * 4_000_000, " a . " * 800_000]
)
def test_it_is_quick_whatever_the_text(text: str) -> None:
    begun = time.process_time()
    recognises("x.toml", text)
    assert time.process_time() - begun < 2
