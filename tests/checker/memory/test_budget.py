"""Bytes as people write them."""

from __future__ import annotations

import pytest

from tttdit.checker.memory.budget import budget
from tttdit.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("74GiB", 74 * 2**30),
        ("80GB", 80 * 10**9),
        ("74.5 GiB", 74 * 2**30 + 2**29),
        (" 512 mib ", 2**29),
        ("1B", 1),
        ("0.3B", None),
        ("1.5TiB", 3 * 2**39),
    ],
)
def test_units_of_a_thousand_and_of_1024(text: str, count: int | None) -> None:
    if count is None:
        with pytest.raises(UsageError):
            budget(text)
    else:
        assert budget(text) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("74", '--budget needs a unit: "74" may be 74GiB or 74GB'),
        ("much", '--budget takes bytes such as 74GiB or 80GB, not "much"'),
        ("-3GiB", '--budget takes bytes such as 74GiB or 80GB, not "-3GiB"'),
        ("٧٤GiB", '--budget takes bytes such as 74GiB or 80GB, not "٧٤GiB"'),
        ("74Gib2", '--budget takes bytes such as 74GiB or 80GB, not "74Gib2"'),
        ("3GiBs", '--budget knows no unit "GiBs"; write B, KiB, MiB, GiB, TiB, or KB, MB, GB, TB'),
        ("0GiB", '--budget has to be at least one byte, not "0GiB"'),
        ("1e9B", '--budget takes bytes such as 74GiB or 80GB, not "1e9B"'),
    ],
)
def test_what_is_no_budget_is_one_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        budget(text)
    assert str(error.value) == message
