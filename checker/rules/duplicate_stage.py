"""TTD007."""

from __future__ import annotations

from tttdit.core.rules import Page


class DuplicateStage(Page):
    """What: two stages have one name.

    Why: `--stage NAME` and the folders of a run tell stages apart by their names.

    Example: two `[[stage]]` with `name = "9s"`.

    Instead: a name for each.

    Fix: none.
    """

    code = "TTD007"
    name = "duplicate-stage"
