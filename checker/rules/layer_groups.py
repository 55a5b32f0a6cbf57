"""TTD501."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.laws import nearest
from tttdit.core.plugin.kinds import Region
from tttdit.core.rules import Rule
from tttdit.core.solving.progressions import divisors
from tttdit.core.stage import Stage
from tttdit.core.wording import either


class LayerGroups(Rule):
    """What: the layers (or whatever a region groups) do not come out even in groups of the size that `[memory]` asks for.

    Why: it runs, with a smaller last group, but surely it was not meant: a group of the whole size decides the peak of memory, and the
    public training code asserts here. (Of a scan's groups of mini-batches nobody expects that they come out even.)

    Example: `transformer_checkpoint_layer_group_size = 4` for a model of 42 layers; two would be left over.

    Instead: a divisor of the number of layers (1, 2, 3, 6, 7, ...), or 0, which recomputes no layer.

    Fix: unsafe. The nearest divisor changes what the run keeps in memory and what it computes twice, not its result.
    """

    code = "TTD501"
    name = "layer-groups"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for each size that leaves a rest."""
        for region, size in _even(stage):
            count = int(stage.dims[region.count])
            if count % size == 0 or size > count:  # more than there are is one group: TTD503
                continue
            dimension = stage.dims.describe(region.count)
            key = f"memory.{region.key}"
            works = nearest(divisors(count), size)
            closest = nearest(works, size, 1)[0]
            yield self.finding(
                f"{count:,} {dimension.meaning} in groups of {size:,} do not come out even: the last group has {count % size:,}",
                key=key,
                help=f"write {key} = {either(works)}, or 0 to recompute none",
                related=[Related(f"{count:,} {dimension.meaning}", other) for other in dimension.keys],
                fix=Fix("unsafe", (Edit(key, closest),)),
            )


def _even(stage: Stage) -> Iterator[tuple[Region, int]]:
    """The sized regions whose groups must all be alike, where they are in force."""
    for region in stage.memory.declared:
        if region.kind == "size" and region.even and region.count in stage.dims:
            size = getattr(stage.memory, region.key)
            if size > 0:
                yield region, size
