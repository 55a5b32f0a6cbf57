"""What is wrong with a manifest or a sample: the same words in a check and in a run."""

from __future__ import annotations

from collections.abc import Sequence

from tttdit.core.rules import DataPage


class Problem(Exception):
    """`subject` (a file, the line) and `what` is wrong with it, which reads alike for samples that are wrong alike.

    `page` is the rule behind it, `column` the place in the manifest's line, `sizes` are the lengths that differ: what is, and what was
    wanted.
    """

    def __init__(
        self, page: DataPage, subject: str, what: str, *, column: int = 1, sizes: Sequence[tuple[int, int]] = ()
    ) -> None:
        super().__init__(f"{subject} {what}")
        self.page, self.subject, self.what = page, subject, what
        self.column, self.sizes = column, tuple(sizes)
