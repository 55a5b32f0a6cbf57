"""What drawing a video takes, in a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tttdit.checker.render.memory_bars import verdict
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import visible
from tttdit.core.wording import spoken_bytes, spoken_flops

if TYPE_CHECKING:
    from tttdit.checker.memory.sampling import SamplingPrediction


def sampling_line(prediction: SamplingPrediction, paint: Paint) -> Iterator[str]:
    """`sampling of one video (predicted): 48.70 GiB, fits, 31.30 GiB to spare; highest in ...`."""
    steps = f"{prediction.steps:,} step{'s' * (prediction.steps != 1)}"
    yield (
        f"  sampling of one video (predicted): {spoken_bytes(prediction.needed_bytes)}, {verdict(prediction, paint)}; "
        f"highest in {visible(prediction.total_at)}; {spoken_flops(prediction.flops)} in {steps}"
    )
