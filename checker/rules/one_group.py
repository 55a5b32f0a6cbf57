"""TTD503."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.plugin.kinds import Region
from tttdit.core.rules import Rule
from tttdit.core.solving.progressions import divisors
from tttdit.core.stage import Stage
from tttdit.core.wording import either


class OneGroup(Rule):
    """What: a group size of `[memory]` is so large that everything is one group.

    Why: groups save memory because backward recomputes one after the other. A single group of all layers keeps nothing after forward, but
    backward then makes everything again and holds it at once: the peak is that of a run that recomputes nothing, and forward is paid
    for twice. Of a scan that groups its own steps, one group is what 0 says, which is worth knowing and no more.

    Example: `transformer_checkpoint_layer_group_size = 42` for a model of 42 layers; `scan_checkpoint_group_size = 1000` for 804
    mini-batches.

    Instead: a small divisor of the number of layers, or 0 to recompute none; for a scan a size below the number of mini-batches.

    Fix: unsafe, groups of 1: another share of memory and recomputation, the same result. For a scan it is shown only, for 0 does the same.
    """

    code = "TTD503"
    name = "one-group"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for each size that the spec states."""
        for region in stage.memory.declared:
            key = f"memory.{region.key}"
            if region.kind == "size" and region.is_region and region.count in stage.dims and stage.wrote(key):
                size, count = getattr(stage.memory, region.key), int(stage.dims[region.count])
                if size >= count > 1:
                    yield (
                        self._of_region(region, stage, size, count)
                        if region.group
                        else self._of_steps(region, stage, size, count)
                    )

    def _of_region(self, region: Region, stage: Stage, size: int, count: int) -> Finding:
        dimension, key = stage.dims.describe(region.count), f"memory.{region.key}"
        return self.finding(
            f"{count:,} {dimension.meaning} in groups of {size:,} are one group: backward makes all of them again at once, "
            "and holds no less than if none were recomputed",
            key=key,
            help=f"write {key} = {either(divisors(count, count - 1)[:3])}, or 0 to recompute none",
            related=[Related(f"{count:,} {dimension.meaning}", other) for other in dimension.keys],
            fix=Fix("unsafe", (Edit(key, 1),)),
        )

    def _of_steps(self, region: Region, stage: Stage, size: int, count: int) -> Finding:
        meaning, key = stage.dims.describe(region.count).meaning, f"memory.{region.key}"
        return self.finding(
            f"{count:,} {meaning} in groups of {size:,} are one group, as with 0: backward keeps the steps of all of them at once",
            key=key,
            help=f"write {key} = 0 if that is meant, else a size below {count:,}",
            fix=Fix("shown", (Edit(key, 0),)),
            severity="info",
        )
