"""TTD102."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, nearest
from tttdit.core.rules import Rule
from tttdit.core.solving.nearby import nearby
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import either, written


class PixelsCodec(Rule):
    """What: the picture's height or width does not make whole latent pixels.

    Why: the codec makes one latent pixel of 8 x 8 pixels (`codec.space_compression`).

    Example: a height of 484 pixels is 60 latent rows and a half.

    Instead: 480, or another multiple of 8; the help names the nearest that the model's patches allow too.

    Fix: unsafe. A picture of another size is another run.
    """

    code = "TTD102"
    name = "pixels-codec"

    def laws(self, stage: Stage) -> list[Divisible]:
        """Both sides of the picture are multiples of the compression."""
        space = Formula.number(stage.codec.space_compression)
        return [Divisible(stage.dims.symbol(side), space) for side in ("pixel_height", "pixel_width")]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for each side of the picture that leaves a rest."""
        space = stage.codec.space_compression
        for symbol, key in (("pixel_height", "video.height"), ("pixel_width", "video.width")):
            pixels = int(stage.dims[symbol])
            if pixels % space == 0:
                continue
            values = nearby(stage, symbol, self.laws(stage))
            yield self.finding(
                f"{key} = {pixels:,} pixels do not make whole latent pixels: {pixels:,} is no multiple of {space} "
                f"({pixels % space} left over)",
                key=key,
                help=f"write {key} = {either(values)}" if values else "",
                related=written(stage, {"codec.space_compression": f"{space} x {space} pixels in a latent pixel"}),
                fix=Fix("unsafe", (Edit(key, nearest(values, pixels, 1)[0]),)) if values else None,
            )
