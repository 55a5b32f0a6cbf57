"""TTD010: texts that were meant to be replaced, and texts that look like them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.report import FileReport
from tttdit.checker.rules.placeholder_text import is_placeholder


@pytest.mark.parametrize(
    "text",
    [
        *(
            "TODO",
            "todo",
            "TODO: path",
            "FIXME",
            "TBD",
            "XXX",
            "XXXX",
            "CHANGEME",
            "change-me",
            "REPLACE_ME!",
            "FILL ME",
        ),
        *(
            "<path>",
            "/data/<user>/clips.jsonl",
            "{{ manifest }}",
            "path/to/manifest.jsonl",
            "/path/to",
            "C:\\path\\to\\x",
        ),
        *(
            "your-entity/runs",
            "/home/your_name/data",
            "s3://your-bucket/",
            "/mnt/TODO/clips.jsonl",
            "/data/.../clips.jsonl",
            "...",
        ),
    ],
)
def test_placeholders(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "t5", "ttt-mlp", "todo.jsonl", "/data/todo/clips.jsonl", "todos", "methodology", "xxl", "data/t5-xxl"),
        *("paths/to-do.jsonl", "a < b", "your.jsonl", "/footpath/tomorrow", "../clips.jsonl", "1..3", "./x"),
    ],
)
def test_texts_that_are_none(text: str) -> None:
    assert not is_placeholder(text)


DATA = """
[data]
plugin = "precomputed"
manifest = "{}"
"""


def test_it_is_a_warning_at_the_text(check_spec: Callable[..., FileReport]) -> None:
    file = check_spec(added=DATA.format("TODO: 9 s"))
    (finding,) = file.findings
    assert (finding.code, finding.severity, finding.key, file.ok) == ("TTD010", "warning", "data.manifest", True)
    assert finding.message == 'data.manifest is still a placeholder: "TODO: 9 s"'
    assert finding.span is not None
    assert (finding.span.line, finding.span.column, finding.span.end_column) == (23, 12, 23)


def test_what_several_stages_inherit_is_said_once_and_what_a_stage_says_at_its_place(
    check_spec: Callable[..., FileReport],
) -> None:
    stages = '[[stage]]\nname = "a"\n[[stage]]\nname = "b"\ndata.manifest = "<manifest>"\n'
    findings = [one for one in check_spec(added=DATA.format("TODO") + stages).findings if one.code == "TTD010"]
    assert [(finding.key, finding.span and finding.span.line) for finding in findings] == [
        ("data.manifest", 23),
        ("stage[1].data.manifest", 28),
    ]


def test_a_spec_with_errors_is_looked_through_as_well(check_spec: Callable[..., FileReport]) -> None:
    file = check_spec("fps = 0", added=DATA.format("path/to/x"))
    assert [finding.code for finding in file.findings] == ["TTD003", "TTD010"]
