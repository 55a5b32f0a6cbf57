"""Which checkpoint of a stage is the last whole one, whatever a kill has left."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tttdit.core.errors import UsageError
from tttdit.core.running.checkpoints import facts_of, name_of, newest, partial, replaced, stage_of, step_of, whole


def checkpoint(folder: Path, name: str, step: int = 1) -> Path:
    path = folder / name
    path.mkdir(parents=True)
    (path / "facts.json").write_text(json.dumps({"stage": "first", "step": step}))
    return path


def test_the_one_that_latest_names(tmp_path: Path) -> None:
    """Not the one of the most steps: a run may have gone back to an earlier one."""
    paths = [checkpoint(tmp_path, name_of(step), step) for step in (2, 10, 123_456_789)]
    (tmp_path / "latest").write_text("step-00000010\n")
    assert newest(tmp_path) == paths[1]
    assert whole(tmp_path) == paths
    assert (step_of(paths[1]), stage_of(paths[1])) == (10, "first")


@pytest.mark.parametrize(
    "latest",
    [None, b"", b"step-00000007\n", b"../elsewhere", b"step-00000003.partial", b"\xff\xfe\x00", b"step-" + b"1" * 1000],
)
def test_without_a_useful_latest_the_one_of_the_most_steps(tmp_path: Path, latest: bytes | None) -> None:
    checkpoint(tmp_path / "first", "step-00000001")
    path = checkpoint(tmp_path / "first", "step-00000002")
    checkpoint(tmp_path / "first", "step-00000003.partial")
    checkpoint(tmp_path, "elsewhere")
    if latest is not None:
        (tmp_path / "first" / "latest").write_bytes(latest)
    assert newest(tmp_path / "first") == path
    assert partial(tmp_path / "first") == [tmp_path / "first" / "step-00000003.partial"]


def test_the_first_one_until_the_second_of_the_same_step_has_its_name(tmp_path: Path) -> None:
    checkpoint(tmp_path, "step-00000002.partial")
    before = checkpoint(tmp_path, "step-00000002.before")
    checkpoint(tmp_path, "step-00000001")
    (tmp_path / "latest").write_text("step-00000002\n")
    assert newest(tmp_path) == before
    assert replaced(tmp_path) == [before]
    again = checkpoint(tmp_path, "step-00000002")
    assert newest(tmp_path) == again


def test_none(tmp_path: Path) -> None:
    assert newest(tmp_path / "not there") is None
    assert newest(tmp_path) is None
    (tmp_path / "step-00000001").write_text("a file")
    (tmp_path / "step-00000002").symlink_to(tmp_path)
    assert newest(tmp_path) is None
    assert partial(tmp_path) == replaced(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "facts.json cannot be read, No such file or directory"),
        (b"", "its facts.json is no JSON"),
        (b"\xff", "its facts.json is no JSON"),
        (b"[" * 100_000, "its facts.json is no JSON"),
        (b"[]", "its facts.json names no stage and no step"),
        (b'{"stage": "first", "step": "1"}', "its facts.json names no stage and no step"),
    ],
)
def test_what_is_no_checkpoint(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "facts.json").write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path} is no checkpoint of a run: {message}")):
        facts_of(tmp_path)
