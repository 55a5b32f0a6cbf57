"""How strongly the text guides a step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tttdit.plugins.guidance.spec import GuidanceTable


def weight(table: GuidanceTable, *, number: int, step: int, steps: int) -> float:
    """The weight c of negative + c (positive - negative), in step `step`, counted from 0, of `steps`, at the noise level `number`.

    1 is the text alone. Where the schedule goes by the level, (n - t) / n is below 0 for every level above n; the cosine does not see the
    sign of a power, so that exponents that are no whole numbers have a weight there too.
    """
    at = number if table.guidance_schedule == "cogvideox" else step
    power = abs((steps - at) / steps) ** table.guidance_exponent
    return 1 + table.guidance_scale * (1 - math.cos(math.pi * power)) / 2
