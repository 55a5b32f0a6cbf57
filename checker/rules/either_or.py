"""TTD006."""

from __future__ import annotations

from tttdit.core.rules import Page


class EitherOr(Page):
    """What: two keys that say the same thing in two ways, and both are there, or neither.

    Why: with both, one of them would have to be ignored, and nobody would know which.

    Example: `seconds = 9` beside `pixel_frames = 145`.

    Instead: one of the two. A stage that writes one replaces the inherited other.

    Fix: unsafe. The second of the two goes away; that the first is the one that was meant, a person knows.
    """

    code = "TTD006"
    name = "either-or"
