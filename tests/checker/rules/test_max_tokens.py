"""TTD206: a limit below the length that is stated beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.report import FileReport


def with_limit(check_spec: Callable[..., FileReport], tokens: str, most: int) -> FileReport:
    return check_spec(f"tokens_per_segment = {tokens}\nmax_tokens = {most}")


def test_a_limit_that_is_not_kept(check_spec: Callable[..., FileReport]) -> None:
    (finding,) = with_limit(check_spec, "502", 256).findings
    assert (finding.code, finding.severity) == ("TTD206", "warning")
    assert finding.message == 'a segment has 502 tokens, more than text.max_tokens = 256, which only "auto" keeps to'
    assert finding.fix is not None
    assert [(edit.key, edit.value) for edit in finding.fix.edits] == [("text.max_tokens", 502)]


@pytest.mark.parametrize(("tokens", "most"), [("502", 502), ("502", 600), ('"auto"', 256)])
def test_limits_that_are_kept(check_spec: Callable[..., FileReport], tokens: str, most: int) -> None:
    assert with_limit(check_spec, tokens, most).findings == ()


def test_a_limit_that_nobody_wrote_is_none(check_spec: Callable[..., FileReport]) -> None:
    """566 tokens are more than the default of 512."""
    assert check_spec("tokens_per_segment = 566").findings == ()
