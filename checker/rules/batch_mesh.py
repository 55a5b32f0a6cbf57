"""TTD602."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, nearest
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import either, plural, written


class BatchMesh(Rule):
    """What: the global batch cannot be shared out over the data-parallel ranks and the accumulation steps.

    Why: every rank computes the same number of samples in each of the `grad_accum_steps` passes. A share that is not whole, or smaller
    than one sample, makes empty micro-batches, whose mean loss is NaN.

    Example: `global_batch_size = 64` on 8 x 8 data-parallel ranks with `grad_accum_steps = 2`: half a sample a pass.

    Instead: a multiple of `dp_replicate * dp_sharding * grad_accum_steps`. Ranks of one tensor-parallel group compute the same sample
    together and do not count.

    Fix: unsafe. Another batch is another run.
    """

    code = "TTD602"
    name = "batch-mesh"
    spoils = ("B",)

    def laws(self, stage: Stage) -> list[Divisible]:
        """The batch is a multiple of the replicas, their shards and the accumulation steps."""
        symbol = stage.dims.symbol
        if "global_batch" not in stage.dims:
            return []
        return [Divisible(symbol("global_batch"), symbol("replicas") * symbol("shards") * symbol("passes"))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """Samples against ranks and passes."""
        samples = stage.training.global_batch_size
        if samples is None:
            return
        replicas, shards = stage.parallelism.dp_replicate, stage.parallelism.dp_sharding
        passes = stage.training.grad_accum_steps
        shares = replicas * shards * passes
        if samples % shares == 0:
            return
        found = stage.solve("global_batch")
        works = found.nearest(samples, 2) if found is not None else []
        yield self.finding(
            f"{samples:,} samples cannot be shared by {replicas:,} * {shards:,} data-parallel ranks in {passes:,} "
            f"{plural(passes, 'accumulation step')}: {shares:,} equal shares do not come out whole",
            key="training.global_batch_size",
            help=f"write training.global_batch_size = {either(works)}"
            + (", or training.grad_accum_steps = 1" if passes > 1 and samples % (replicas * shards) == 0 else ""),
            related=written(
                stage,
                {
                    "parallelism.dp_replicate": f"{replicas:,} {plural(replicas, 'replica')}",
                    "parallelism.dp_sharding": f"{shards:,} {plural(shards, 'shard')}",
                    "training.grad_accum_steps": f"{passes:,} {plural(passes, 'accumulation step')}",
                },
            ),
            fix=Fix("unsafe", (Edit("training.global_batch_size", nearest(works, samples, 1)[0]),)) if works else None,
        )
