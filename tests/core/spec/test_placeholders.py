"""Left-over placeholders: each is told, and the rest is read as if they were values."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.findings import Span
from tttdit.core.spec.document import Document
from tttdit.core.spec.placeholders import MOST_PLACEHOLDERS, fill

TWO = """\
[data]
manifest = TODO
folder = TODO: where?  # still to be told
workers = 2
"""


def test_each_is_told_and_the_rest_is_read() -> None:
    document = Document.parse(TWO)
    assert document.is_readable
    assert [(finding.code, finding.message, finding.span) for finding in document.findings] == [
        ("TTD001", "TODO is still to be replaced", Span(2, 12, 2, 16)),
        ("TTD001", "TODO: where? is still to be replaced", Span(3, 10, 3, 22)),
    ]
    assert document.findings[0].help == 'A value must be written here; in quotes if it is text: manifest = "..."'
    assert document.placeholders == {("data", "manifest"), ("data", "folder")}
    assert document.values["data"]["workers"] == 2


@pytest.mark.parametrize(
    "text", ["x = [TODO, 1]\n", "x = {a = TODO}\n", "x = [\n  TODO,\n  FIXME\n]\n", "x = <path to it>\n", "x = xxx"]
)
def test_where_they_may_stand(text: str) -> None:
    document = Document.parse(text)
    assert document.is_readable
    assert document.findings
    assert all(path[0] == "x" for path in document.placeholders)


@pytest.mark.parametrize("text", ['x = "TODO"\n', "x = 1 # TODO\n", "[TODO]\n", "TODO = 1\n", "x = '''\n= TODO\n'''\n"])
def test_what_is_toml_has_none(text: str) -> None:
    document = Document.parse(text)
    assert document.findings == ()
    assert document.placeholders == frozenset()


def test_another_mistake_is_told_as_well() -> None:
    document = Document.parse("x = TODO\ny = 016\n")
    assert not document.is_readable
    assert [finding.message for finding in document.findings] == [
        "TODO is still to be replaced",
        "016 is not a TOML value",
    ]


def test_a_word_that_only_begins_like_one_is_no_placeholder() -> None:
    document = Document.parse("x = TODOS\n")
    assert [finding.message for finding in document.findings] == ["TODOS is not a TOML value"]
    assert not document.is_readable


@given(
    st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=5),
    st.sampled_from(["TODO", "tbd", "<x>", "FIXME later", "XXX"]),
)
def test_all_places_stay_what_they_are(words: list[str], placeholder: str) -> None:
    text = "".join(f"{word}{index} = {placeholder}  # {placeholder}\n" for index, word in enumerate(words))
    filled = fill(text)
    assert len(filled.text) == len(text)
    assert len(filled.findings) == len(words)
    assert set(tomli.loads(filled.text)) == {f"{word}{index}" for index, word in enumerate(words)}


def test_a_file_full_of_them_is_another_kind_of_file() -> None:
    assert len(fill("x = TODO\n" * 3 * MOST_PLACEHOLDERS).findings) == MOST_PLACEHOLDERS
