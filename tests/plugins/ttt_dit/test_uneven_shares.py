"""TTD607: tokens that tensor-parallel ranks share unevenly."""

from collections.abc import Callable
from typing import Any

import pytest

from tttdit.core.findings import Finding

Find = Callable[..., list[Finding]]


@pytest.mark.parametrize(
    ("given", "lengths"),
    [
        ({"parallelism": {"tp_sharding": 16}}, "the 18,052 of a window: the first ones have 1,129"),
        (
            {"parallelism": {"tp_sharding": 2}, "text": {"tokens_per_segment": 501}},
            "L = V + S*T = 49,950 + 3*501 = 51,453 and the 18,051 of a window: the first ones have 25,727 and 9,026",
        ),
    ],
)
def test_the_lengths_and_the_largest_shares(given: dict[str, Any], lengths: str, findings_of: Find) -> None:
    (finding,) = [each for each in findings_of(**given) if each.code == "TTD607"]
    assert (finding.severity, finding.key) == ("info", "parallelism.tp_sharding")
    assert finding.message == (
        f"{given['parallelism']['tp_sharding']} tensor-parallel ranks share tokens unevenly, {lengths}, the last fewer, and what they send "
        "is padded to the largest share"
    )


@pytest.mark.parametrize("ranks", [1, 2, 4, 5])
def test_nothing_to_say(ranks: int, findings_of: Find) -> None:
    """One rank, even shares, and heads that cannot be shared at all, which is said instead."""
    assert "TTD607" not in [each.code for each in findings_of(parallelism={"tp_sharding": ranks})]
