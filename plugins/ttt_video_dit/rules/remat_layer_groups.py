"""TTD807."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import nearest
from tttdit.core.solving.progressions import divisors
from tttdit.core.wording import either
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule
from tttdit.plugins.ttt_video_dit.sizes import LAYERS

KEY, SIZE = "remat.transformer_checkpoint_layer_group_size", "model.size"


class RematLayerGroups(JobRule):
    """What: the layers of a job of ttt-video-dit do not come out even in groups of the size that `[remat]` asks for.

    Why: that code asserts it. (A spec of tttdit runs with a smaller last group, and is warned: TTD501.)

    Example: `transformer_checkpoint_layer_group_size = 4` for the 42 layers of 5B.

    Instead: a divisor of the number of layers: 1, 2, 3, 6, 7, 14, 21 or 42 of 42.

    Fix: unsafe. It changes what is kept in memory and what is computed twice, not the result.
    """

    code = "TTD807"
    name = "remat-layer-groups"
    reads = (KEY, SIZE)
    speaks_for = ("TTD501",)

    def look(self, job: Job) -> Iterator[Finding]:
        """One finding at the size."""
        size = job.remat.transformer_checkpoint_layer_group_size
        layers = LAYERS.get(job.model.size or "")
        if layers is None or layers % size == 0:
            return
        works = nearest(divisors(layers), size)
        yield job.finding(
            self,
            f"{layers} layers in groups of {size:,} do not come out even, which ttt-video-dit asserts",
            key=KEY,
            help=f"write {job.key(KEY)} = {either(works)}",
            related={SIZE: f"{layers} layers"},
            fix=Fix("unsafe", (Edit(job.key(KEY), nearest(works, size, 1)[0]),)),
        )
