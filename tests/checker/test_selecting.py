"""`--select` and `--ignore`: which codes are meant, and what is said of those that nobody has."""

from __future__ import annotations

import pytest

from tttdit.checker.selecting import Selection
from tttdit.core.errors import UsageError

CODES = ("LAX001", "TTD001", "TTD201", "TTD202", "TTD501")


def chosen(*, select: str = "", ignore: str = "") -> list[str]:
    selection = Selection.of([select] if select else [], [ignore] if ignore else [], CODES)
    return [code for code in CODES if code in selection]


def test_without_a_word_all_are_heard() -> None:
    assert chosen() == [*CODES]


@pytest.mark.parametrize(
    ("select", "ignore", "left"),
    [
        ("TTD2", "", ["TTD201", "TTD202"]),
        ("TTD", "", ["TTD001", "TTD201", "TTD202", "TTD501"]),
        ("T", "", ["TTD001", "TTD201", "TTD202", "TTD501"]),
        ("LAX,TTD501", "", ["LAX001", "TTD501"]),
        ("", "TTD2", ["LAX001", "TTD001", "TTD501"]),
        ("", "ALL", []),
        ("ALL", "TTD", ["LAX001"]),
        ("TTD201", "TTD2", ["TTD201"]),
        ("TTD2", "TTD201", ["TTD202"]),
        ("TTD20", "TTD2", ["TTD201", "TTD202"]),
        ("TTD2", "TTD2", []),
        ("TTD5", "ALL", ["TTD501"]),
        (" ttd501 , lax ", "", ["LAX001", "TTD501"]),
    ],
)
def test_the_longest_selector_decides(select: str, ignore: str, left: list[str]) -> None:
    assert chosen(select=select, ignore=ignore) == left


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "TTD203",
            '--ignore: no code is "TTD203" or begins with it; did you mean TTD202? (tttdit rule --all lists them)',
        ),
        (
            "TTD291",
            '--ignore: no code is "TTD291" or begins with it; did you mean TTD201? (tttdit rule --all lists them)',
        ),
        ("TTD29", '--ignore: no code is "TTD29" or begins with it; did you mean TTD20? (tttdit rule --all lists them)'),
        ("LAY", '--ignore: no code is "LAY" or begins with it; did you mean LAX? (tttdit rule --all lists them)'),
        ("X", '--ignore: no code is "X" or begins with it (tttdit rule --all lists them)'),
        ("TTD2,,LAX", "--ignore takes codes such as TTD201, with commas between them; one is empty"),
    ],
)
def test_what_no_code_has_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        chosen(ignore=text)
    assert str(refused.value) == said
