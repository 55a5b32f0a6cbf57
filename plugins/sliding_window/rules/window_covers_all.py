"""TTD303."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import written

KEY = "model.mixer.neighbours"


class WindowCoversAll(Rule):
    """What: the sliding window is so wide that every segment sees all others.

    Why: it is attention over the whole sequence then, and costs what that costs: bytes and time grow with the square of the number of
    segments. More neighbours than there are change nothing.

    Example: `neighbours = 2` in a video of three segments.

    Instead: nothing has to change. For a window that slides: fewer neighbours than there are other segments.

    Fix: none.
    """

    code = "TTD303"
    name = "window-covers-all"
    severity = "info"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the neighbours, where the spec states them and there are any."""
        segments, neighbours = int(stage.dims["S"]), stage.mixer.neighbours
        if segments == 1 or neighbours < segments - 1 or not stage.wrote(KEY):
            return
        yield self.finding(
            f"with model.mixer.neighbours = {neighbours:,} each of the {segments:,} segments sees all others: no window slides",
            key=KEY,
            help=f"write {KEY} = {segments - 2} or less for one that does" if segments > 2 else "",
            related=written(stage, {"text.segments": f"S = {segments:,} segments"}),
        )
