"""What the paths of a command line stand for."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.inputs import documents


def found(*paths: str) -> tuple[list[str], list[str]]:
    unreadable: list[str] = []
    return [document.path for document in documents(paths, unreadable)], unreadable


@pytest.fixture
def folder(make_spec: Callable[..., str]) -> Path:
    """A folder with specs, and with much that is none."""
    make_spec(name="b.toml")
    make_spec(name="a.toml")
    for name, text in {
        "pyproject.toml": "[project]\nname = 'x'\n[tool.model]\n",
        "notes.txt": "[video]\n",
        "deep/er/c.toml": "  [ video ]\n",
        "deep/broken.toml": "[video\n#:schema ../tttdit.schema.json\n",
        "deep/left-out.toml": "[video]\n# tttdit: skip, for it is meant to be broken\n",
        "deep/stages.toml": "[[stage]]\n",
        ".hidden/d.toml": "[video]\n",
        ".e.toml": "[video]\n",
    }.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Path()


def test_a_folder_is_searched_for_what_looks_like_a_spec(folder: Path) -> None:
    names, unreadable = found(".")
    assert names == ["./a.toml", "./b.toml", "./deep/broken.toml", "./deep/stages.toml", "./deep/er/c.toml"]
    assert unreadable == []


def test_a_file_that_is_named_is_read_whatever_it_is(folder: Path) -> None:
    assert found("deep/left-out.toml", "notes.txt") == (["deep/left-out.toml", "notes.txt"], [])


def test_a_path_that_is_named_twice_is_read_once(folder: Path) -> None:
    assert found("a.toml", "b.toml", "a.toml") == (["a.toml", "b.toml"], [])


def test_what_cannot_be_read_does_not_keep_the_rest_from_being_read(folder: Path) -> None:
    Path("nothing").mkdir()
    names, unreadable = found("missing.toml", "a.toml", "nothing", "b.toml")
    assert names == ["a.toml", "b.toml"]
    assert unreadable == [
        "cannot read missing.toml: No such file or directory",
        "there is no spec in the folder nothing (a .toml file with [video], [text], [model] or [[stage]])",
    ]


def test_nor_does_it_in_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("all/closed").mkdir(parents=True)
    Path("all/b.toml").symlink_to("nowhere")
    for name in ("all/a.toml", "all/c.toml", "all/last/d.toml"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("[video]\n")
    listed = os.scandir

    def closed(path: str) -> object:
        if path == "all/closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", closed)
    names, unreadable = found("all", "a.toml")
    assert names == ["all/a.toml", "all/c.toml", "all/last/d.toml", "a.toml"]
    assert unreadable == [
        "cannot read all/b.toml: No such file or directory",
        "cannot read all/closed: Permission denied",
    ]


def test_links_are_not_followed_out_of_a_folder(folder: Path) -> None:
    Path("loop").symlink_to(".")
    assert found(".")[0].count("./loop/a.toml") == 0


def test_a_pipe_in_a_folder_is_passed_over(folder: Path) -> None:
    """Whoever reads it waits for a writer that may never come."""
    os.mkfifo("deep/pipe.toml")
    names, unreadable = found("deep")
    assert "deep/pipe.toml" not in names
    assert unreadable == []
