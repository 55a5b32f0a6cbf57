"""Job files: the small ones, and the public ones where they are at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from job_files import SAMPLING, TRAINING

from tttdit.checker.checking import Checker
from tttdit.checker.report import FileReport
from tttdit.core.spec.document import Document

PUBLIC = Path(__file__).parents[4] / "shared" / "reference" / "jobs" / "train-ttt-mlp"


@pytest.fixture
def training() -> str:
    return TRAINING


@pytest.fixture
def sampling() -> str:
    return SAMPLING


@pytest.fixture(scope="session")
def check_job() -> Callable[..., FileReport]:
    """A function that checks the text of a job, with pieces of it replaced, and lines written behind it."""
    checker = Checker()

    def check(text: str, *more: str, **replaced: str) -> FileReport:
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        return checker.check(Document.parse("\n".join([text, *more]), "job.toml"))

    return check


@pytest.fixture
def public_job() -> Callable[[str], Path]:
    """A function that names one of the public training jobs; without them the test is skipped."""

    def find(name: str) -> Path:
        path = PUBLIC / f"{name}.toml"
        if not path.is_file():
            pytest.skip("the public job files are not here")
        return path

    return find
