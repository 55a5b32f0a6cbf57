"""Comments of a document: all of them, and nothing that only looks like one."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import tomli

from tttdit.core.findings import Span
from tttdit.core.spec.document import Document

VALID = json.loads((Path(__file__).parents[2] / "data" / "toml" / "valid.json").read_text("utf-8"))


def comments(text: str) -> list[str]:
    document = Document.parse(text)
    assert document.is_readable
    return [document.lines[span.line - 1][span.column - 1 : span.end_column - 1] for span in document.comments]


def test_comments_stand_at_ends_and_on_lines_of_their_own() -> None:
    text = "# one\n[a] # two\nb = 1# three\n\n  # four\nc = [ # five\n  1, # six\n  # seven\n] # eight"
    assert comments(text) == ["# one", "# two", "# three", "# four", "# five", "# six", "# seven", "# eight"]


def test_each_has_its_place() -> None:
    assert Document.parse("a = 1  # one\n").comments == (Span(1, 8, 1, 13),)


@pytest.mark.parametrize(
    "text",
    ['a = "# no"', "a = '# no'", 'a = """\n# no\n"""', "a = '''\n# no'''", '"# no" = 1', "a.'# no'.b = 1", '["# no"]'],
)
def test_a_sign_in_a_text_or_a_key_begins_none(text: str) -> None:
    assert comments(text) == []
    assert comments(f"{text} # yes") == ["# yes"]


def test_a_text_that_cannot_be_read_has_none() -> None:
    assert Document.parse("a = # one\n").comments == ()


def test_those_beside_a_placeholder_are_found() -> None:
    assert comments("a = TODO # one\nb = 1 # two\n") == ["# one", "# two"]


@pytest.mark.parametrize("name", sorted(VALID))
def test_without_its_comments_a_document_says_the_same(name: str) -> None:
    """Over the valid documents of toml-test; and none is left then."""
    entry = VALID[name]
    document = Document.decode(entry.encode() if isinstance(entry, str) else base64.b64decode(entry["base64"]))
    if not document.is_readable or document.findings:
        pytest.skip("an older tomli refuses it")
    lines = list(document.lines)
    for span in document.comments:
        assert lines[span.line - 1][span.column - 1] == "#"
        lines[span.line - 1] = lines[span.line - 1][: span.column - 1]
    bare = Document.parse("\n".join(lines))
    assert repr(tomli.loads(bare.text)) == repr(document.values)
    assert bare.comments == ()


def test_the_first_table_or_key() -> None:
    assert Document.parse("# one\n\n[a]\n").first_line == 3
    assert Document.parse("# one\n").first_line is None
