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
    """What: which text lengths a job of ttt-video-dit works with that does not say how long its texts are.

    Why: a training job never does: the prepared data have some number of tokens in each segment. In a sampling job a TODO, or a value that
    cannot be, may stand in the place of `eval.txt_maxlen`. Video and text together must be whole
    mini-batches, so most lengths do not work, that of the preparation script's default (493) among them. Which do is solved from the same
    laws as `"auto"` in a spec.

    Example: at 9 seconds with mini-batches of 64 every T = 54 (mod 64).

    Instead: nothing is wrong with a training job. Prepare the texts with one of these lengths, or sample with one; the longest loses least.

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
        key, who, what = (
            ("text.tokens_per_segment", "", f"write text.tokens_per_segment = {either(longest[::-1])}")
            if stage.sampling is not None
            else ("video.seconds", ", the data do", f"prepare the texts with {either(longest[::-1])} tokens a segment")
        )
        yield self.finding(
            f"the job does not say how many tokens {whose} has{who}: {lengths} works",
            key=key,
            help=f"{what}; the text encoder takes up to {most:,}",
            related=written(
                stage,
                {"model.mixer.mini_batch_size": f"mini-batches of {int(stage.dims['b']):,} tokens, text and video"},
            ),
        )
