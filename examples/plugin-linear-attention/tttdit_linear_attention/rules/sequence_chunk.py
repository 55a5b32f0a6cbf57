"""LAX001."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, nearest
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import either, worked, written

KEY = "model.mixer.chunk"


class SequenceChunk(Rule):
    """What: the sequence is not a whole number of chunks.

    Why: all chunks are computed at once, as one tensor, so they are equally long.

    Example: 9 s of video with 3 texts of 502 tokens are 51,456 tokens, which do not make chunks of 100.

    Instead: a chunk that divides the sequence (96 here), or `text.tokens_per_segment = "auto"`.

    Fix: unsafe. Another chunk is another model.
    """

    code = "LAX001"
    name = "sequence-chunk"

    def laws(self, stage: Stage) -> list[Divisible]:
        """L is a multiple of the chunk; `"auto"` solves for the text's length with it."""
        return [Divisible(stage.dims.symbol("L"), stage.dims.symbol("chunk"))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the chunk."""
        length, chunk = int(stage.dims["L"]), int(stage.dims["chunk"])
        if length % chunk == 0:
            return
        found = stage.solve("chunk")
        works = found.nearest(chunk) if found is not None else []
        yield self.finding(
            f"the sequence of {worked('L = V + S*T', stage.dims)} tokens is no whole number of chunks of {chunk:,}: "
            f"{length % chunk:,} tokens are left over",
            key=KEY,
            help=f"write {KEY} = {either(works)}" if works else "",
            related=written(stage, {"text.tokens_per_segment": f"T = {int(stage.dims['T']):,}"}),
            fix=Fix("unsafe", (Edit(KEY, nearest(works, chunk, 1)[0]),)) if works else None,
        )
