"""TTD605."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage

KEY = "parallelism.unsharded_dtype"
SMALLEST_NORMAL = 2.0**-14  # of float16; below it precision is lost bit by bit,
SMALLEST = 2.0**-24  # until this, below half of which everything is 0


class Float16Gradients(Rule):
    """What: the model computes in float16, in which its gradients are too small to be told apart.

    Why: the loss is a mean over all numbers of the prediction, so the gradient at each of them is about 2 divided by how many there are.
    float16 has full precision down to 6.1e-05 and nothing below 6e-08, and the loss is not scaled up before backward. So gradients are
    coarse at best, and 0 in part. bfloat16 reaches as far down as float32.

    Example: `unsharded_dtype = "float16"` at 9 seconds: 3,196,800 latent numbers a sample, and gradients of about 6e-07.

    Instead: `unsharded_dtype = "bfloat16"`, which every GPU that `hardware.gpu` names computes in.

    Fix: unsafe. Another type rounds differently.
    """

    code = "TTD605"
    name = "float16-gradients"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the type, where the spec says how it trains."""
        if stage.parallelism.unsharded_dtype != "float16" or not stage.wrote("training"):
            return
        latents, *_ = stage.assembly.model.inputs(stage.model, stage.dims).values()
        numbers = prod(map(int, latents.shape))
        if 2 / numbers >= SMALLEST_NORMAL:
            return
        yield self.finding(
            f"in float16 gradients vanish: at each of the {numbers:,} numbers of a prediction that of the loss is about {2 / numbers:.1g}, "
            f"float16 rounds to multiples of {SMALLEST:.1g}, and nothing scales the loss",
            key=KEY,
            help=f'write {KEY} = "bfloat16"',
            fix=Fix("unsafe", (Edit(KEY, "bfloat16"),)),
        )
