"""TTD004."""

from __future__ import annotations

from tttdit.core.rules import Page


class Missing(Page):
    """What: a table or a key that has to be there is not.

    Why: it has no default that would be right: nobody can guess the size of a video.

    Example: a spec without `[text]`, or `[model]` without `plugin`.

    Instead: write it. A preset (`preset = "5B"`) gives all sizes of a model at once.

    Fix: none.
    """

    code = "TTD004"
    name = "missing"
