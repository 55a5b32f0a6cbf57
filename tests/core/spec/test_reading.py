"""Whatever bytes a file holds, there is a document with a finding, or a UsageError; never another exception."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.errors import UsageError
from tttdit.core.findings import Span
from tttdit.core.spec.document import LARGEST_FILE, Document, read


def only(document: Document) -> tuple[str, str, str, tuple[int, int, int, int]]:
    assert document.values == {}
    (finding,) = document.findings
    assert finding.severity == "error"
    span = finding.span
    assert span is not None
    return finding.code, finding.message, finding.help, (span.line, span.column, span.end_line, span.end_column)


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "spec.toml"
    file.write_bytes(b"[video]\r\nfps = 16\r\n")
    document = read(file)
    assert document.path == str(file)
    assert document.values == {"video": {"fps": 16}}
    assert document.findings == ()
    assert document.lines == ("[video]", "fps = 16", "")
    assert document.value_span(("video", "fps")) == Span(2, 7, 2, 9)


def test_a_byte_order_mark_is_passed_over() -> None:
    document = Document.decode(b"\xef\xbb\xbfname = 'x'\n")
    assert document.values == {"name": "x"}
    assert document.key_span(("name",)) == Span(1, 1, 1, 5)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.toml", "cannot read {0}: No such file or directory"),
        (".", "{0} is a folder, not a file"),
        ("\0", "cannot read "),
    ],
)
def test_no_file(tmp_path: Path, path: str, message: str) -> None:
    name = str(tmp_path / path)
    with pytest.raises(UsageError) as raised:
        read(name)
    assert str(raised.value).startswith(message.format(name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "spec.toml"
    file.touch(mode=0o000)
    with pytest.raises(UsageError, match="Permission denied"):
        read(file)


def test_half_a_character() -> None:
    found = only(Document.decode("# ok\nname = 'ä".encode()[:-1] + b"'\n"))
    assert found == (
        "TTD008",
        "this is not UTF-8: byte 0xc3 cannot stand here",
        "Save the file as UTF-8.",
        (2, 9, 2, 10),
    )


def test_the_place_of_a_bad_byte_is_counted_in_characters() -> None:
    code, _, _, place = only(Document.decode(b"\xef\xbb\xbfa = 1\r\n" + "ä = 'é".encode() + b"\xff'"))
    assert (code, place) == ("TTD008", (2, 7, 2, 8))


def test_utf16_is_told_as_such() -> None:
    code, _, help, _ = only(Document.decode("name = 'x'".encode("utf-16")))
    assert code == "TTD008"
    assert help == "It begins like UTF-16, as some Windows programs write: save the file as UTF-8."


def test_lines_are_there_for_showing_even_where_the_bytes_are_no_text() -> None:
    assert Document.decode(b"a = 1\nb = '\xff'\n").lines == ("a = 1", "b = '\ufffd'", "")


def test_a_nul_byte() -> None:
    assert only(Document.decode(b"a = 1\n\0\0")) == (
        "TTD008",
        "this is no text file: it holds a NUL byte",
        "Is this the file that you meant?",
        (2, 1, 2, 2),
    )


def test_four_mebibytes_and_no_more(tmp_path: Path) -> None:
    file = tmp_path / "spec.toml"
    file.write_bytes(b"#" * LARGEST_FILE)
    assert read(file).findings == ()
    file.write_bytes(b"#" * (LARGEST_FILE + 1))
    code, message, _, place = only(read(file))
    assert (code, message, place) == ("TTD008", "the file is larger than 4 MiB", (1, 1, 1, 1))


@pytest.mark.parametrize("opening", ["[", "{a = ", "[{a=["])
def test_nested_too_deeply(opening: str) -> None:
    code, message, help, place = only(Document.parse("# [[[\nx = " + opening * 10_000))
    assert (code, message) == ("TTD008", "arrays and tables are nested more than 100 levels deep")
    assert help == "No value of a spec needs more than three levels; is a closing bracket missing?"
    assert place[0] == 2


def test_nested_too_deeply_by_dotted_keys() -> None:
    dotted = ".".join("a" * 60)
    many = f"x = {f'{{{dotted} = ' * 99}1{'}' * 99}"
    for text in (f"[{dotted}]\n{dotted} = 1", f"x = {{{dotted} = {{{dotted} = 1}}}}", many):
        code, message, _, place = only(Document.parse(text))
        assert (code, message) == ("TTD008", "arrays and tables are nested more than 100 levels deep")
        assert place[0] == text.count("\n") + 1


def test_nesting_stops_at_a_hundred_whatever_tomli_could_do() -> None:
    assert Document.parse("x = " + "[" * 100 + "]" * 100).findings == ()
    assert only(Document.parse("x = " + "[" * 101 + "]" * 101))[3] == (1, 105, 1, 106)
    assert Document.parse("x = '" + "[" * 1000 + "'\n" + "#" + "{" * 1000 + "\ny = []" * 0).findings == ()


@pytest.mark.parametrize(
    "number", ["1" * 5000, "-" + "9" * 5000, "1_" * 2000 + "1", "0x" + "f" * 5000, str(2**63), "0b" + "1" * 64]
)
def test_a_number_too_long(number: str) -> None:
    code, message, _, place = only(Document.parse(f"\nx = [1, {number}]"))
    assert (code, message) == ("TTD008", "this number is too long: TOML's integers have 64 bits")
    assert place[0] == 2
    assert place[3] == 9 + len(number)


def test_the_longest_numbers_there_are() -> None:
    assert Document.parse(f"x = {2**63 - 1}\ny = {-(2**63)}").values == {"x": 2**63 - 1, "y": -(2**63)}
    assert Document.parse(f"x = '{'1' * 5000}' # {'1' * 5000}").findings == ()


def test_a_key_of_a_thousand_parts() -> None:
    for text in (".".join("a" * 1000) + " = 1", f"[{'.'.join('a' * 1000)}]", f"x = {{{'.'.join('a' * 1000)} = 1}}"):
        assert only(Document.parse(text))[:2] == ("TTD008", "a key has more than 100 parts")


def test_a_stack_that_is_almost_full() -> None:
    def deeper(levels: int) -> Document:
        return Document.parse("x = " + "[" * 90 + "]" * 90) if levels == 0 else deeper(levels - 1)

    import sys

    limit = sys.getrecursionlimit()
    for levels in range(limit - 160, limit - 60, 7):
        try:
            document = deeper(levels)
        except RecursionError:
            continue  # the stack was full before the document was reached
        assert [finding.code for finding in document.findings] in ([], ["TTD008"])


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    document = Document.decode(data)
    assert (document.values == {}) or not document.findings
    assert all(finding.span for finding in document.findings)
