"""How strongly the text guides a step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tttdit.core.runtime.sampling.solver import Level

if TYPE_CHECKING:
    from tttdit.plugins.guidance.spec import GuidanceTable


class GuidedSolver:
    """The half of a `Solver` that says how strongly the text guides."""

    def __init__(self, table: GuidanceTable) -> None:
        self._table = table

    def guidance(self, level: Level) -> float:
        """The weight c of negative + c (positive - negative); 1 is the text alone.

        Where the schedule goes by the level, (n - t) / n is below 0 for every level above n; the cosine does not see the sign of a power,
        so that exponents that are no whole numbers have a weight there too.
        """
        table = self._table
        at = level.number if table.guidance_schedule == "cogvideox" else level.step
        power = abs((level.steps - at) / level.steps) ** table.guidance_exponent
        return 1 + table.guidance_scale * (1 - math.cos(math.pi * power)) / 2
