"""TTD401."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import plural, written

KEY = "data.samples"


class FewSamples(Rule):
    """What: there are fewer synthetic samples than one step takes.

    Why: the samples come again before the step is over, so some of it computes with the same sample twice, with other noise. For trying
    out a run that is good enough; as a measure of how fast a model learns it is not.

    Example: `samples = 64`, which is what a spec has that does not state them, on 128 data-parallel ranks.

    Instead: nothing has to change. For steps without repetitions: at least as many samples as a step takes.

    Fix: unsafe. It writes as many samples as a step takes; other data is another run.
    """

    code = "TTD401"
    name = "few-samples"
    severity = "info"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the samples."""
        mesh, training = stage.parallelism, stage.training
        step = int(stage.dims["B"]) * mesh.dp_replicate * mesh.dp_sharding * training.grad_accum_steps
        samples = stage.data.samples
        if samples >= step:
            return
        yield self.finding(
            f"{samples:,} different {plural(samples, 'sample')} for steps of {step:,}: samples come again within a step",
            key=KEY,
            help=f"write {KEY} = {step} or more",
            related=written(
                stage,
                {
                    "training.global_batch_size": f"{step:,} samples a step",
                    "parallelism.dp_replicate": f"{mesh.dp_replicate:,} replicas",
                    "parallelism.dp_sharding": f"{mesh.dp_sharding:,} shards",
                },
            ),
            fix=Fix("unsafe", (Edit(KEY, step),)),
        )
