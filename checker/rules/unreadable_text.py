"""TTD008."""

from __future__ import annotations

from tttdit.core.rules import Page


class UnreadableText(Page):
    """What: the file holds no text, or more than a spec ever has: bytes that are not UTF-8, over 4 MiB, a hundred brackets in each
    other, a number that does not end.

    Why: the bytes of a file are not to be trusted, and what no person writes is not worth a crash.

    Example: a checkpoint given in place of its spec.

    Instead: the file that was meant, saved as UTF-8.

    Fix: none.
    """

    code = "TTD008"
    name = "unreadable-text"
