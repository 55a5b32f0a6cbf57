"""TTD508."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.plugin.kinds import Region
from tttdit.core.rules import Rule
from tttdit.core.solving.progressions import divisors
from tttdit.core.stage import Stage
from tttdit.core.weighing import Outlook, Weighed
from tttdit.core.wording import spoken_bytes


class CostlyGroup(Rule):
    """What: a group size of `[memory]` needs more memory than a smaller one, which recomputes no more.

    Why: of a group that is recomputed only the inputs are kept, so larger groups keep less after forward. But backward makes a whole
    group again before it goes back through it, and a larger group holds more then. Where that outweighs what is kept less, a larger group
    has the higher peak. Of the groups of a scan the same is true: small ones keep many states, large ones replay many steps at once.

    Example: `transformer_checkpoint_layer_group_size = 2` for 42 layers at 9 s: 21 inputs less are kept, and two layers are made at once.

    Instead: the smaller size that the finding names. It is the best of those that divide what is grouped (of a scan: of the powers of two).

    Fix: unsafe. It writes the smaller size: other memory, the same result.
    """

    code = "TTD508"
    name = "costly-group"
    severity = "warning"

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        """One finding for each size that the spec states, if a smaller one is better in every respect."""
        stage = weighed.stage
        for region in stage.memory.declared:
            key, size = f"memory.{region.key}", getattr(stage.memory, region.key)
            if region.kind != "size" or not region.is_region or not stage.wrote(key):
                continue
            smaller = _smaller(region, size, stage)
            if not smaller or (not region.group and not weighed.prediction.workspace_bytes):
                continue  # an operator's own groups change its workspace, and there is none at the peak
            now, better = weighed.prediction, _best(region, smaller, weighed)
            if better is not None:
                best, outlook = better
                yield self._finding(region, size, best, now, outlook, stage)

    def _finding(self, region: Region, size: int, best: int, now: Outlook, outlook: Outlook, stage: Stage) -> Finding:
        dimension, key = stage.dims.describe(region.count), f"memory.{region.key}"
        told = f"{int(stage.dims[region.count]):,} {dimension.meaning}"
        return self.finding(
            f"groups of {size:,} need {spoken_bytes(now.peak_bytes - outlook.peak_bytes)} more than groups of {best:,}, "
            "and recompute no less\n"
            f"the peak is {spoken_bytes(now.peak_bytes)} against {spoken_bytes(outlook.peak_bytes)}",
            key=key,
            help=f"write {key} = {best}",
            related=[Related(told, other) for other in dimension.keys if dimension.definition is None],
            fix=Fix("unsafe", (Edit(key, best),)),
        )


def _smaller(region: Region, size: int, stage: Stage) -> list[int]:
    """Sizes below this one that are worth a look, the next one first."""
    if size <= 1 or region.count not in stage.dims:
        return []
    count = int(stage.dims[region.count])
    if size >= count or (region.even and count % size):  # TTD503 and TTD501 have sizes of their own to propose
        return []
    sizes = divisors(count) if region.group else tuple(1 << power for power in range(size.bit_length()))
    return [*reversed([*takewhile(lambda one: one < size, sizes)])]


def _best(region: Region, sizes: list[int], weighed: Weighed) -> tuple[int, Outlook] | None:
    """The best of the sizes, as long as each is better than the one before; None where the first is not."""
    best, known = None, weighed.prediction
    for size in sizes:
        outlook = weighed.outlook(**{region.key: size})
        costs_more = outlook.reserved_bytes > known.reserved_bytes or outlook.recompute_flops > known.recompute_flops
        if outlook.peak_bytes >= known.peak_bytes or costs_more:
            break
        best, known = size, outlook
    return None if best is None else (best, known)
