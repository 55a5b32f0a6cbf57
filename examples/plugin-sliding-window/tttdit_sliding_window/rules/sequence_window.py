"""SWA001."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, nearest
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import either, worked, written

KEY = "model.mixer.window"


class SequenceWindow(Rule):
    """What: the sequence is not a whole number of windows.

    Why: all windows are computed at once, as one tensor, so they are equally long.

    Example: 9 s of video with 3 texts of 502 tokens are 51,456 tokens, which do not make windows of 100.

    Instead: a window that divides the sequence (96 here), or `text.tokens_per_segment = "auto"`.

    Fix: unsafe. Another window is another model.
    """

    code = "SWA001"
    name = "sequence-window"

    def laws(self, stage: Stage) -> list[Divisible]:
        """L is a multiple of the window; `"auto"` solves for the text's length with it."""
        return [Divisible(stage.dims.symbol("L"), stage.dims.symbol("window"))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the window."""
        length, window = int(stage.dims["L"]), int(stage.dims["window"])
        if length % window == 0:
            return
        works = nearest((size for size in range(1, 2 * window) if length % size == 0), window)
        yield self.finding(
            f"the sequence of {worked('L = V + S*T', stage.dims)} tokens is no whole number of windows of {window:,}: "
            f"{length % window:,} tokens are left over",
            key=KEY,
            help=f"write {KEY} = {either(works)}",
            related=written(stage, {"text.tokens_per_segment": f"T = {int(stage.dims['T']):,}"}),
            fix=Fix("unsafe", (Edit(KEY, nearest(works, window, 1)[0]),)),
        )
