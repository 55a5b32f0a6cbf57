"""Codes whose findings are made on the way to a stage, not by looking at one."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage


class Page(Rule):
    """A code's page and name; what finds such mistakes (the reader, the resolver, the trace) makes the finding with it."""

    def check(self, stage: Stage) -> Iterator[Finding]:
        """Nothing: a stage that exists has passed."""
        return iter(())
