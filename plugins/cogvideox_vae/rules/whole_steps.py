"""TTD104."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.laws import Divisible
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import spoken, worked, written
from tttdit.plugins.latent_grid.lengths import Lengths


class WholeSteps(Rule):
    """What: the video's frames are no whole number of the steps in which CogVideoX's VAE encodes and decodes.

    Why: the VAE encodes 8 frames at a time and decodes 2 latent frames at a time, in the first step one more. Of another number the
    first step gets what is left over, and 10 latent frames then decode to 40 frames, not to 37. So `tttdit prepare` and `tttdit sample`
    refuse such a video. Training on latents that something else has made goes well: nothing is said without `codec.folder`.

    Example: 37 pixel frames, which are 10 latent frames, with `codec.folder`.

    Instead: 33 or 41 pixel frames; the help names lengths that the model takes too.

    Fix: unsafe. A video of another length is another run.
    """

    code = "TTD104"
    name = "whole-steps"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the video's length; none where the frames do not make whole latents."""
        dims, codec = stage.dims, stage.codec
        frames, together = dims.exact("N"), codec.frames_together
        if codec.folder is None or frames is None or (frames - 1) % codec.time_compression:
            return
        if (frames - 1) % together == 0:
            return
        # no law of the rule: "auto" must not fail for what is only a warning
        lengths = Lengths.of(stage, [Divisible(dims.symbol("N") - 1, Formula.number(together))])
        yield self.finding(
            f"{worked('N = fps*seconds + 1' if 'fps' in dims else 'N', dims)} pixel frames are no whole steps of the VAE: "
            f"after the first, {spoken(frames - 1)} is no multiple of {together}, and prepare and sample refuse them",
            key=lengths.key,
            help=lengths.help,
            related=written(stage, {"codec.folder": f"a VAE that takes {together} frames at a time"}),
            fix=lengths.fix,
        )
