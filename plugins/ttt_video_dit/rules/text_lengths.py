"""TTD811."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.solving.wording import classes
from tttdit.core.stage import Stage
from tttdit.core.wording import either, written

# How many lengths are named.
_NAMED = 3


class TextLengths(Rule):
    """What: which text lengths a training job of ttt-video-dit works with.

    Why: a training job does not say how many tokens its text segments have: the prepared data do. Video and text together must be whole
    mini-batches, so most lengths do not work, that of the preparation script's default (493) among them. Which do is solved from the same
    laws as `"auto"` in a spec.

    Example: at 9 seconds with mini-batches of 64 every T = 54 (mod 64).

    Instead: nothing is wrong with the job. Prepare the texts with one of these lengths; the longest loses least.

    Fix: none; the data are elsewhere.
    """

    code = "TTD811"
    name = "text-lengths"
    severity = "info"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding where the videos' length is said, if any text length works (if none does, TTD204 says so)."""
        if stage.text.tokens_per_segment != "auto":
            return
        found, most = stage.solve("T"), stage.text.max_tokens
        longest = list(islice(found.downwards(most), _NAMED)) if found is not None else []
        if found is None or not longest:
            return
        segments = int(stage.dims["S"])
        lengths = classes("T", found) or "any length"
        whose = "its text segment" if segments == 1 else f"each of its {segments:,} text segments"
        yield self.finding(
            f"the job does not say how many tokens {whose} has, the data do: {lengths} works",
            key="video.seconds",
            help=f"prepare the texts with {either(longest[::-1])} tokens a segment; the text encoder takes up to {most:,}",
            related=written(
                stage,
                {"model.mixer.mini_batch_size": f"mini-batches of {int(stage.dims['b']):,} tokens, text and video"},
            ),
        )
