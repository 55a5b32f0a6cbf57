"""What a text that is no TOML is told: in plain words, at the right place, with a remedy where there is one."""

from __future__ import annotations

import pytest

from tttdit.core.spec.document import Document

CASES = [
    # a value that is none
    ("path = TODO", "TODO is still to be replaced", 'A value must be written here; in quotes if it is text: path = "..."', (1, 8, 1, 12)),
    ("path = <path>", "<path> is still to be replaced", None, (1, 8, 1, 14)),
    ("a =\nb = 1", "a value is missing here, after a =", "Write one, or leave the key out.", (1, 4, 1, 4)),
    ("a = # later", "a value is missing here, after a =", None, (1, 5, 1, 6)),
    ("a = True", "True is not a TOML value", "Write true.", (1, 5, 1, 9)),
    ("a = off", "off is not a TOML value", "Write false.", (1, 5, 1, 8)),
    ("a = None", "None is not a TOML value", "TOML has no empty value: leave the key out.", (1, 5, 1, 9)),
    ("a = t5", "t5 is not a TOML value", 'Text stands in quotes: a = "t5"', (1, 5, 1, 7)),
    ("a = /data/x", "/data/x is not a TOML value", 'Text stands in quotes: a = "/data/x"', (1, 5, 1, 12)),
    ("a = \u201cx\u201d", "TOML knows straight quotes only", 'Write a = "..." with " on both sides.', (1, 5, 1, 8)),
    # numbers
    ("a = 16fps", "16fps is not a TOML value", "If it is a number, write it without a unit: 16. If it is text, write it in quotes.",
     (1, 5, 1, 10)),
    ("a = -007", "-007 is not a TOML value", "Numbers do not begin with 0: write -7.", (1, 5, 1, 9)),
    ("a = .5", ".5 is not a TOML value", "A digit stands before the point: write 0.5.", (1, 5, 1, 7)),
    ("a = 5.", "5. is not a TOML value", "A digit stands behind the point: write 5.0.", (1, 5, 1, 7)),
    ("a = 2024-02-30", "there is no such date or time", "", (1, 5, 1, 15)),
    # lines
    ("a: 3", "keys and values are separated by =, not by : (a = ...)", "", (1, 2, 1, 3)),
    ("my key = 3", "an = was expected here", None, (1, 4, 1, 5)),
    ("a", "a has no value", "Write a = ..., or a # in front if it is a comment.", (1, 2, 1, 2)),
    ("= 3", "there is no key before the =", "Write key = value.", (1, 1, 1, 2)),
    ("! 3", "a key cannot begin with !", None, (1, 1, 1, 2)),
    ("\x1b[0m = 3", "a key cannot begin with the character U+001B", None, (1, 1, 1, 2)),
    ('a = "b" c', "nothing can stand here: the line should have ended", None, (1, 9, 1, 10)),
    ("a = 1\rb = 2", "a carriage return stands here without a line feed", None, (1, 6, 1, 7)),
    # brackets and quotes
    ("[video\nfps = 3", "] is missing at the end of the table's header", "Write [video].", (1, 7, 1, 7)),
    ("[[stage]\nfps = 3", "]] is missing at the end of the table's header", "Write [[stage]].", (1, 8, 1, 9)),
    ("a = [1, 2\n", "the array is not closed: ] is missing", "Items are separated by commas.", (1, 10, 1, 10)),
    ("a = [1 2]", "a comma or ] is missing in this array", None, (1, 8, 1, 9)),
    ("a = {b = 1 c = 2}", "a comma or } is missing in this inline table", None, (1, 12, 1, 13)),
    ('a = "b\nc = 1', "the text is not closed", None, (1, 7, 1, 7)),
    ('a = """b\nc', "the text is not closed", None, (2, 2, 2, 2)),
    ('a = "C:\\data"', "this backslash begins no known sign", None, (1, 10, 1, 11)),
    ("a = '\x07'", "the character U+0007 cannot stand here", None, (1, 6, 1, 7)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "help", "place"), CASES, ids=[case[0] for case in CASES])
def test_message(text: str, message: str, help: str | None, place: tuple[int, int, int, int]) -> None:
    (finding,) = Document.parse(text).findings
    assert (finding.code, finding.name, finding.severity) == ("TTD001", "toml-syntax", "error")
    assert finding.message == message
    if help is not None:
        assert finding.help == help
    span = finding.span
    assert span is not None
    assert (span.line, span.column, span.end_line, span.end_column) == place


TWICE = [
    ("[video]\nfps = 1\nfps = 2", "video.fps is written twice", "first written here", (2, 1), (3, 1)),
    ("[a]\n[b]\n[a]", "the table [a] is written twice", "first written here", (1, 1), (3, 1)),
    ("a = {b = 1}\n[a.c]", "the table [a.c] cannot be added to what has been written before", "a is written here", (1, 1), (2, 1)),
    ("a.b = 1\n[a]", "the table [a] cannot be added to what has been written before", "a.b is written here", (1, 1), (2, 1)),
    ("a = 1\na.b = 2", "a.b cannot be added to what has been written before", "a is written here", (1, 1), (2, 1)),
    ("[[a]]\nb = '''\nx'''\nb = '''\ny'''", "a[0].b is written twice", "first written here", (2, 1), (4, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "related", "first", "second"), TWICE, ids=[case[0] for case in TWICE])
def test_what_stands_there_already_is_pointed_at(
    text: str, message: str, related: str, first: tuple[int, int], second: tuple[int, int]
) -> None:
    (finding,) = Document.parse(text).findings
    assert finding.message == message
    assert finding.span is not None
    assert (finding.span.line, finding.span.column) == second
    (other,) = finding.related
    assert other.message == related
    assert other.span is not None
    assert (other.span.line, other.span.column) == first


def test_a_key_twice_in_an_inline_table() -> None:
    (finding,) = Document.parse("video = {fps = 1, fps = 2}").findings
    assert finding.message == "a key stands twice in the inline table of video"


@pytest.mark.parametrize(
    "text", ["a" * 5000, "a = " + "b" * 5000, "a = 1" + "b" * 5000, "a" * 5000 + ": 3", "[" + "a" * 5000]
)
def test_messages_stay_short(text: str) -> None:
    (finding,) = Document.parse(text).findings
    assert len(finding.message) + len(finding.help) < 300
