"""The base of the rules that look at a job file itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tttdit.core.findings import Finding
from tttdit.core.rules import Page
from tttdit.plugins.ttt_video_dit.job import Job


class JobRule(Page):
    """What that code forbids, or leaves to chance, in its own job files.

    `reads` names the keys that it needs; where the value of one cannot be believed the rule is silent, for that has been reported.
    `speaks_for` has the codes of rules that are silent where this one has found something: they would say the same, or what follows
    from it.
    """

    reads: ClassVar[tuple[str, ...]] = ()
    speaks_for: ClassVar[tuple[str, ...]] = ()

    def look(self, job: Job) -> Iterator[Finding]:
        """What it has to say about a job."""
        raise NotImplementedError
