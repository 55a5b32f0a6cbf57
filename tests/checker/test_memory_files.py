"""`tttdit memory --html` and `--snapshot`: what is written, and what is refused."""

import pickle
from pathlib import Path

import pytest

from tttdit.checker.checking import Checker
from tttdit.checker.creating import replace
from tttdit.checker.memory.surveying import survey
from tttdit.checker.memory_files import MemoryFiles
from tttdit.core.errors import UsageError
from tttdit.core.spec.document import read


@pytest.fixture
def document(make_spec):
    return read(make_spec())


def test_both_are_written(document):
    (one,) = Checker().resolved(document)
    found = survey(one.stage, (), device="cuda", runtime="plain")
    files = MemoryFiles(page="page.html", snapshot="memory.pickle")
    files.refuse(document, [one])
    files.write(lambda: "nine", document, [(one, found)], device="cuda", runtime="plain")
    text = Path("page.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "<b>nine</b> from spec.toml" in text
    assert set(pickle.loads(Path("memory.pickle").read_bytes())) == {"segments", "device_traces"}
    assert sorted(path.name for path in Path().iterdir()) == ["memory.pickle", "page.html", "spec.toml"]


def test_nobody_asked(document):
    MemoryFiles(page=None, snapshot=None).write(lambda: "nine", document, [], device="cuda", runtime="plain")
    assert [path.name for path in Path().iterdir()] == ["spec.toml"]


@pytest.mark.parametrize(
    ("page", "snapshot", "why"),
    [
        ("./spec.toml", None, "./spec.toml is the spec itself: name another file to write"),
        (None, "spec.toml", "spec.toml is the spec itself: name another file to write"),
        ("one", "./one", "--html and --snapshot both name one: name two files"),
    ],
)
def test_what_must_not_be_written_over(document, page, snapshot, why):
    with pytest.raises(UsageError) as refused:
        MemoryFiles(page=page, snapshot=snapshot).refuse(document, Checker().resolved(document))
    assert str(refused.value) == why


def test_a_snapshot_is_of_one_stage(make_spec):
    document = read(make_spec(added='\n[[stage]]\nname = "a"\n\n[[stage]]\nname = "b"\n'))
    with pytest.raises(UsageError, match=r"a snapshot is of one stage: say which with --stage \(the stages: a, b\)"):
        MemoryFiles(page=None, snapshot="x").refuse(document, Checker().resolved(document))


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "report.html"
    replace(str(path), b"one")
    replace(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_what_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"cannot write .*: No such file or directory"):
        replace(str(tmp_path / "none" / "report.html"), b"")
    with pytest.raises(UsageError, match="it is no ordinary file"):
        replace(str(tmp_path), b"")
    assert list(tmp_path.iterdir()) == []
