"""New contents for a file: whole or not at all, and everything else about it as it was."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from tttdit.checker.rewriting import rewrite
from tttdit.core.errors import UsageError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "spec.toml"
    path.parent.mkdir()
    path.write_bytes(b"old")
    return path


def untouched(file: Path) -> bool:
    return file.read_bytes() == b"old" and os.listdir(file.parent) == [file.name]


def test_the_contents_are_new_and_the_mode_is_old(file: Path) -> None:
    file.chmod(0o640)
    rewrite(str(file), b"new", was=b"old")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(file.parent) == ["spec.toml"]


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(os.path.relpath(file, tmp_path))
    rewrite(str(link), b"new", was=b"old")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["folder", "link.toml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 12, 34)
    rewrite(str(file), b"new", was=b"old")
    assert (file.stat().st_uid, file.stat().st_gid) == (12, 34)


def test_a_file_that_has_changed_is_left_alone(file: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot write .*spec\.toml: it has changed since it was read$"):
        rewrite(str(file), b"new", was=b"older")
    assert untouched(file)


def test_a_file_that_changes_while_the_new_one_is_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = os.fsync

    def meanwhile(descriptor: int) -> None:
        flush(descriptor)
        file.write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(UsageError, match="it has changed since it was read"):
        rewrite(str(file), b"new", was=b"old")
    assert file.read_bytes() == b"theirs"
    assert os.listdir(file.parent) == ["spec.toml"]


def test_a_read_only_file(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(UsageError, match=r"spec\.toml: it is read-only$"):
        rewrite(str(file), b"new", was=b"old")
    assert untouched(file)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk(file: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(UsageError, match=r"spec\.toml: No space left on device; it is as it was$"):
        rewrite(str(file), b"new", was=b"old")
    assert untouched(file)


def test_a_folder_in_which_nothing_can_be_made(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("tempfile.mkstemp", refused)
    with pytest.raises(UsageError, match=r"spec\.toml: Permission denied; it is as it was$"):
        rewrite(str(file), b"new", was=b"old")
    assert untouched(file)


def test_what_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match=r"it is no ordinary file$"):
        rewrite(str(pipe), b"new", was=b"old")
    with pytest.raises(UsageError, match=r"gone: it is no longer there$"):
        rewrite(str(tmp_path / "gone"), b"new", was=b"old")
