"""TTD012: what nobody sees in a text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.report import FileReport
from tttdit.core.findings import Edit

DATA = """
[data]
plugin = "precomputed"
manifest = {}
"""


@pytest.mark.parametrize(
    ("written", "message", "better"),
    [
        ('"x.jsonl "', "ends with a blank", "x.jsonl"),
        ('" x.jsonl"', "begins with a blank", "x.jsonl"),
        ('"\u00a0x.jsonl "', "begins and ends with a blank", "x.jsonl"),
        ('"a\\tb.jsonl"', "holds a character that is not seen: a tab", "ab.jsonl"),
        ('"a\u200bb.jsonl"', "holds a character that is not seen: U+200B", "ab.jsonl"),
        ('"C:\\temp\\new.jsonl"', "has backslashes that TOML takes for escapes", "C:\\temp\\new.jsonl"),
    ],
)
def test_what_is_said_and_written_instead(
    check_spec: Callable[..., FileReport], written: str, message: str, better: str
) -> None:
    (finding,) = check_spec(added=DATA.format(written)).findings
    assert (finding.code, finding.severity) == ("TTD012", "warning")
    assert finding.message == f"data.manifest {message}"
    assert finding.fix is not None
    assert finding.fix.edits == (Edit("data.manifest", better),)


@pytest.mark.parametrize(
    "written", ["'C:\\temp\\new.jsonl'", '"a b.jsonl"', '"clips/\u00e9t\u00e9.jsonl"', '"a\\nb"', '"""a\nb\n"""']
)
def test_texts_with_nothing_to_hide(check_spec: Callable[..., FileReport], written: str) -> None:
    assert check_spec(added=DATA.format(written)).findings == ()


def test_nothing_but_blanks_cannot_be_mended(check_spec: Callable[..., FileReport]) -> None:
    (finding,) = check_spec(added=DATA.format('" "')).findings
    assert (finding.help, finding.fix) == ("", None)
