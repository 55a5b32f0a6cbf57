"""Where every key and value of a document stands: the whole of toml-test, documents made at random, and some by hand."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from tttdit.core.findings import Span
from tttdit.core.spec.document import Document

FOLDER = Path(__file__).parents[2] / "data" / "toml"


def corpus(kind: str) -> dict[str, bytes]:
    return {
        name: entry.encode() if isinstance(entry, str) else base64.b64decode(entry["base64"])
        for name, entry in json.loads((FOLDER / f"{kind}.json").read_text("utf-8")).items()
    }


VALID, INVALID = corpus("valid"), corpus("invalid")


def accepted(data: bytes) -> bool:
    """Older releases of tomli refuse what is new in TOML 1.1."""
    try:
        tomli.loads(data.decode())
    except tomli.TOMLDecodeError:
        return False
    return True


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {path: value} if path else {}
    for part, inner in items:
        found.update(paths_of(inner, (*path, part)))
    return found


def cut(document: Document, span: Span) -> str:
    lines = document.lines[span.line - 1 : span.end_line]
    last = lines[-1][: span.end_column - 1]
    lines = (*lines[:-1], last)
    return "\n".join([lines[0][span.column - 1 :], *lines[1:]])


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def assert_every_place_is_right(text: str) -> int:
    """Paths are tomli's; keys and values read alone are what they are in the document. Returns how many values were read."""
    document = Document.parse(text)
    assert document.findings == ()
    values = paths_of(tomli.loads(text))
    assert set(document.places) == set(values)
    read = 0
    for path, value in values.items():
        key, where = document.key_span(path), document.value_span(path)
        if isinstance(path[-1], str):
            assert key is not None, path
            assert tomli.loads(f"{cut(document, key)} = 1") == {path[-1]: 1}, path
        if where is None:
            assert isinstance(value, dict | list), path
            header = document.table_span(path)
            assert header is not None
            continue
        assert same(tomli.loads(f"x = {cut(document, where)}")["x"], value), path
        read += 1
        entry = document.entry_span(path)
        assert entry is not None
        assert (entry.end_line, entry.end_column) == (where.end_line, where.end_column)
    return read


@pytest.mark.parametrize("name", VALID)
def test_every_place_in_a_valid_document(name: str) -> None:
    if not accepted(VALID[name]):
        pytest.skip("this release of tomli refuses it")
    assert_every_place_is_right(VALID[name].decode())


def test_how_much_the_corpus_holds() -> None:
    assert len(VALID) == 262
    assert len(INVALID) == 483
    assert sum(assert_every_place_is_right(data.decode()) for data in VALID.values() if accepted(data)) > 1000


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_document_is_a_finding_inside_the_text(name: str) -> None:
    data = INVALID[name]
    try:
        refused = not accepted(data)
    except UnicodeDecodeError:
        refused = True
    document = Document.decode(data)
    assert len(document.findings) == refused
    for finding in document.findings:
        assert finding.code in ("TTD001", "TTD008")
        assert finding.message
        span = finding.span
        assert span is not None
        assert 1 <= span.line <= span.end_line <= len(document.lines)
        assert 1 <= span.column <= len(document.lines[span.line - 1]) + 1
        assert 1 <= span.end_column <= len(document.lines[span.end_line - 1]) + 1
        assert (span.line, span.column) <= (span.end_line, span.end_column)


# -- documents made at random: statements that are often valid together, and dropped where they are not

BARE = st.text("abAB01-_", min_size=1, max_size=3)
CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t")
QUOTED = st.text(CHARACTERS, max_size=4).map(lambda text: json.dumps(text, ensure_ascii=False))
LITERAL = st.text(CHARACTERS, max_size=4).filter(lambda text: "'" not in text).map(lambda text: f"'{text}'")
KEY_PART = st.one_of(BARE, BARE, QUOTED, LITERAL)
SPACE = st.sampled_from(["", " ", "\t", "  "])
LINE_END = st.sampled_from(["", ' # comment = [1, "', "#'''", "\t"])
KEY = st.tuples(st.lists(KEY_PART, min_size=1, max_size=3), SPACE).map(
    lambda made: f"{made[1]}.{made[1]}".join(made[0])
)
LONG_TEXT = st.text(st.one_of(CHARACTERS, st.sampled_from("\n\"'#\\")), max_size=12)
SCALAR = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(lambda number: repr(number)),
    st.sampled_from(
        ["true", "0x1F", "1_000", "1e-4", "1979-05-27 07:32:00", "1979-05-27T07:32:00.5Z", "07:32:00", "2024-02-29"]
    ),
    QUOTED,
    LITERAL,
    LONG_TEXT.filter(lambda text: "'''" not in text and not text.endswith("'")).map(lambda text: f"'''{text}'''"),
    LONG_TEXT.map(lambda text: text.replace("\\", "\\\\").replace('"""', '""\\"')).map(lambda text: f'"""{text}"""'),
    st.sampled_from(['"""a"""""', "'''a'''''", '"""\n\\\n   b"""', '""', "''", '""""""']),
)
ARRAY_SPACE = st.sampled_from(["", " ", "\n", " # ]\n\t"])


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arrays = st.tuples(st.lists(inner, max_size=3), ARRAY_SPACE, st.booleans()).map(
        lambda made: f"[{made[1]}{f'{made[1]},{made[1]}'.join(made[0])}{',' if made[2] and made[0] else ''}{made[1]}]"
    )
    pairs = st.lists(
        st.tuples(KEY, SPACE, inner).map(lambda made: f"{made[0]}{made[1]}={made[1]}{made[2]}"), max_size=3
    )
    return st.one_of(arrays, pairs.map(lambda made: f"{{{', '.join(made)}}}"))


VALUE = st.recursive(SCALAR, nested, max_leaves=5)
STATEMENT = st.one_of(
    st.tuples(SPACE, KEY, SPACE, VALUE, LINE_END).map(
        lambda made: f"{made[0]}{made[1]}{made[2]}={made[2]}{made[3]}{made[4]}"
    ),
    st.tuples(SPACE, SPACE, KEY, LINE_END).map(lambda made: f"{made[0]}[{made[1]}{made[2]}{made[1]}]{made[3]}"),
    st.tuples(SPACE, KEY, LINE_END).map(lambda made: f"[[{made[0]}{made[1]}{made[0]}]]{made[2]}"),
    LINE_END,
)


def put_together(statements: list[str]) -> str:
    text = ""
    for statement in statements:
        if accepted(f"{text}{statement}\n".encode()):
            text += f"{statement}\n"
    return text


@settings(max_examples=150, deadline=None)
@given(st.lists(STATEMENT, max_size=12).map(put_together), st.booleans(), st.sampled_from(["", "\ufeff"]))
def test_every_place_in_a_random_document(text: str, windows: bool, mark: str) -> None:
    assert_every_place_is_right(text.rstrip("\n") if windows else text)
    unix = Document.parse(text)
    other = Document.parse(mark + (text.replace("\n", "\r\n") if windows else text))
    assert other.places == unix.places
    assert other.lines == unix.lines


# -- by hand

TEXT = """\
name = "nine"   # a comment

[video]
seconds = 9
"pixel frames" = { a.b = 1, list = [1, "ä] ", { c = 2 }] }

[model.mixer]
plugin = '''
ttt'''

[[stage]]
name = "9s"
video.seconds = 9

[[stage]]
[stage.model.mixer]
betas = [
  0.9, # first
  0.95,
]
"""


def place(span: Span | None) -> tuple[int, int, int, int] | None:
    return None if span is None else (span.line, span.column, span.end_line, span.end_column)


def test_spans_count_characters_from_one_and_end_behind_the_last() -> None:
    document = Document.parse(TEXT)
    assert place(document.key_span(("name",))) == (1, 1, 1, 5)
    assert place(document.value_span(("name",))) == (1, 8, 1, 14)
    assert place(document.entry_span(("name",))) == (1, 1, 1, 14)
    assert place(document.table_span(("video",))) == (3, 1, 3, 8)
    assert place(document.value_span(("video",))) is None
    assert place(document.key_span(("video", "pixel frames"))) == (5, 1, 5, 15)
    assert place(document.entry_span(("video", "pixel frames", "a", "b"))) == (5, 20, 5, 27)
    assert place(document.value_span(("video", "pixel frames", "list", 1))) == (5, 40, 5, 45)
    assert place(document.value_span(("video", "pixel frames", "list", 2, "c"))) == (5, 53, 5, 54)


def test_tables_headers_and_dotted_keys() -> None:
    document = Document.parse(TEXT)
    assert place(document.table_span(("model", "mixer"))) == (7, 1, 7, 14)
    assert place(document.table_span(("model",))) == (7, 2, 7, 7), "a table that only another's header mentions"
    assert place(document.value_span(("model", "mixer", "plugin"))) == (8, 10, 9, 7)
    assert place(document.table_span(("stage", 0))) == (11, 1, 11, 10)
    assert place(document.entry_span(("stage", 0, "video", "seconds"))) == (13, 1, 13, 18)
    assert place(document.key_span(("stage", 0, "video", "seconds"))) == (13, 7, 13, 14)
    assert place(document.key_span(("stage", 0, "video"))) == (13, 1, 13, 6)
    assert place(document.table_span(("stage", 1, "model", "mixer"))) == (16, 1, 16, 20)
    assert place(document.value_span(("stage", 1, "model", "mixer", "betas", 1))) == (19, 3, 19, 7)
    assert place(document.value_span(("stage", 1, "model", "mixer", "betas"))) == (17, 9, 20, 2)


def test_what_the_text_does_not_have() -> None:
    document = Document.parse(TEXT)
    assert document.key_span(("video", "fps")) is None
    assert document.entry_span(("video", "fps")) is None
    assert place(document.table_span(("video", "fps"))) == (3, 1, 3, 8), "the table around it"
    assert document.table_span(("text",)) is None


def test_a_table_that_is_named_before_its_own_header() -> None:
    document = Document.parse("[a.b]\nx = 1\n[a]\ny = 2\n")
    assert place(document.table_span(("a",))) == (3, 1, 3, 4)
