"""Stages for the tests of predictions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.api import load_spec
from tttdit.core.stage import Stage


@pytest.fixture
def nine_seconds(make_spec: Callable[..., str]) -> Callable[..., Stage]:
    """The stage of nine seconds, with text added to its spec."""

    def stage(*lines: str, added: str = "") -> Stage:
        (one,) = load_spec(make_spec(*lines, added=added)).stages
        return one

    return stage
