"""TTD403."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.spec.wording import show
from tttdit.core.stage import Stage
from tttdit.core.wording import spoken

KEY = "data.manifest"

# What the files of a sample hold: latents [C, F, H, W], and for each of S segments T embeddings of the width X.
SIZES = ("C", "F", "H", "W", "S", "T", "X")


class OtherSamples(Rule):
    """What: a stage reads the samples of the stage before, and wants them of another size.

    Why: precomputed latents and text embeddings have the size that they were computed with. What fits a stage of 3 seconds does not fit one
    of 9: one of the two stages has no sample that it can use, which shows when it starts, perhaps days into the curriculum.

    Example: `video.seconds = 9` in a stage that inherits `data.manifest = "3s.jsonl"`.

    Instead: a manifest for every length: `data.manifest = "9s.jsonl"`.

    Fix: none; where the other samples are, a person knows.
    """

    code = "TTD403"
    name = "other-samples"
    severity = "warning"

    def follow(self, before: Stage, stage: Stage) -> Iterator[Finding]:
        """One finding at the manifest."""
        if before.assembly.data != stage.assembly.data:
            return
        if (before.data.manifest, before.data.folder) != (stage.data.manifest, stage.data.folder):
            return
        changes = list(_changes(before, stage))
        if changes:
            yield self.finding(
                f"{KEY} = {show(stage.data.manifest)} is that of the stage before, whose samples are of another size: "
                + ", ".join(changes),
                key=KEY,
                help=f"write a {KEY} of its own into the stage",
            )


def _changes(before: Stage, stage: Stage) -> Iterator[str]:
    for symbol in SIZES:
        if symbol in before.dims and symbol in stage.dims:
            was, value = before.dims.exact(symbol), stage.dims.exact(symbol)
            if was is not None and value is not None and was != value:
                yield f"{symbol} = {spoken(value)} and not {spoken(was)} ({stage.dims.describe(symbol).meaning})"
