"""The concise format, as text."""

from __future__ import annotations

from attrs import evolve

from tttdit.checker.render import concise
from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Report


def test_a_line_a_finding_and_one_to_close(report: Report) -> None:
    assert list(concise.render(report, Paint())) == [
        "specs/100%, a:b.toml:4:1: error[TTD201] 18,043 tokens are 100% wrong: 59 are left over (stage 3s)",
        "specs/100%, a:b.toml:5:1: warning[TTD603] that is no list (stage 9s)",
        "specs/other.toml:1:1: info[TTD011] nothing is ignored",
        "1 error and 1 warning in 2 files",
        "1 can be fixed with --fix",
    ]


def test_colours_are_on_the_code_only(report: Report) -> None:
    said = list(concise.render(report, Paint(on=True)))
    assert said[0].startswith("specs/100%, a:b.toml:4:1: \x1b[1;31merror[TTD201]\x1b[0m 18,043 ")


def test_nothing_is_said_where_nothing_could_be_read() -> None:
    assert list(concise.render(Report((), ("cannot read a.toml",)), Paint())) == []
    assert list(concise.render(Report(()), Paint())) == ["ok: nothing wrong in 0 files"]


def test_a_finding_of_several_stages_names_the_first_of_them(report: Report) -> None:
    file = report.files[0]
    finding = evolve(file.findings[1], stage=None, stages=("3s", "9s"))
    many = evolve(finding, stages=("3s", "9s", "18s", "30s", "63s"))
    said = list(concise.render(Report((evolve(file, findings=(finding, many)),)), Paint()))
    assert said[0].endswith(" that is no list (stages 3s, 9s)")
    assert said[1].endswith(" that is no list (stages 3s, 9s, 18s, 30s and 1 more)")
