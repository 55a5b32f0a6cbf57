"""TTD103."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, nearest
from tttdit.core.rules import Rule
from tttdit.core.solving.nearby import nearby
from tttdit.core.stage import Stage
from tttdit.core.wording import either, plural, written


class LatentPatch(Rule):
    """What: a latent frame cannot be cut into whole patches.

    Why: the model makes one token of p x p latent pixels (`model.patch_size`); rows and columns that are left over have no token.

    Example: a height of 488 pixels is 61 latent rows, which do not make patches of 2.

    Instead: a height of 480 or 496 pixels (60 or 62 latent rows).

    Fix: unsafe. A picture of another size is another run.
    """

    code = "TTD103"
    name = "latent-patch"

    def laws(self, stage: Stage) -> list[Divisible]:
        """Latent rows and columns are multiples of the patch."""
        return [Divisible(stage.dims.symbol(side), stage.dims.symbol("p")) for side in ("H", "W")]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for each side of the picture that leaves a rest."""
        patch = int(stage.dims["p"])
        for side, what, symbol, key in (
            ("H", "row", "pixel_height", "video.height"),
            ("W", "column", "pixel_width", "video.width"),
        ):
            latents = stage.dims.value(side)
            if latents is None or latents % patch == 0:
                continue
            pixels = int(stage.dims[symbol])
            values = nearby(stage, symbol, self.laws(stage))
            yield self.finding(
                f"{latents:,} latent {plural(latents, what)} (of {pixels:,} pixels) cannot be cut into patches of {patch}: "
                f"{latents % patch} left over",
                key=key,
                help=f"write {key} = {either(values)}" if values else "",
                related=written(stage, {"model.patch_size": f"p = {patch}"}),
                fix=Fix("unsafe", (Edit(key, nearest(values, pixels, 1)[0]),)) if values else None,
            )
