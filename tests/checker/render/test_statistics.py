"""--statistics: counts by code."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from tttdit.checker.render import statistics
from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Report
from tttdit.core.errors import UsageError


@pytest.fixture
def counted(report: Report) -> Report:
    """The report with its error three times, twice with a fix, once with an unsafe one."""
    first, second = report.files
    error, warning = first.findings
    assert error.fix is not None
    unsafe = evolve(error, fix=evolve(error.fix, applicability="unsafe"))
    shown = evolve(warning, fix=evolve(error.fix, applicability="shown"))
    return Report((evolve(first, findings=(shown, error, unsafe, error)), second))


def test_a_line_a_code_the_most_frequent_first(counted: Report) -> None:
    assert list(statistics.render(counted, "full", Paint())) == [
        "  3  error[TTD201]    sequence-mini-batch  2 fixable, 1 with --unsafe-fixes",
        "  1  info[TTD011]     ignore-comment",
        "  1  warning[TTD603]  mesh-hardware",
        "3 errors and 1 warning in 2 files",
        "2 can be fixed with --fix (1 more with --unsafe-fixes)",
    ]


def test_a_list_for_programs(counted: Report) -> None:
    first, *others = json.loads("\n".join(statistics.render(counted, "json", Paint())))
    assert first == {
        "code": "TTD201",
        "name": "sequence-mini-batch",
        "severity": "error",
        "count": 3,
        "fixable": 2,
        "unsafely_fixable": 1,
    }
    assert [(one["code"], one["count"], one["fixable"]) for one in others] == [("TTD011", 1, 0), ("TTD603", 1, 0)]


def test_formats_that_are_made_of_findings_refuse(counted: Report) -> None:
    with pytest.raises(UsageError, match="--statistics counts findings, and --output-format sarif lists them"):
        list(statistics.render(counted, "sarif", Paint()))
