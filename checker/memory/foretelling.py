"""What a measurement of one rank on the CPU is expected to say, counted as it counts."""

from __future__ import annotations

from collections.abc import Mapping

from tttdit.checker.memory.known import unpredicted
from tttdit.checker.memory.predicting import standing_bytes
from tttdit.checker.memory.rank import sharding_of, step_of_rank
from tttdit.core.stage import Stage
from tttdit.core.symbolic.periods import whole_step
from tttdit.core.symbolic.stepping import Manner


def foretold_on_cpu(stage: Stage) -> Mapping[str, int]:
    """Parameters, gradients, optimizer state, the peak beside all that stands, and that of a training loop's step, which holds its inputs
    to the end of backward (`step_bytes`); gradients that meet out of place.

    Raises Unpredicted where that cannot be said.
    """
    with unpredicted():
        manner = Manner(dtype=stage.parallelism.unsharded_dtype, sharding=sharding_of(stage))
        tape = step_of_rank(whole_step(stage, manner), stage, "cpu")
    standing = standing_bytes(tape)
    return {
        "parameters": standing["parameters"],
        "gradients": sum(one.nbytes for one in tape.standing if one.has_gradient),
        "optimizer": standing["optimizer"],
        "peak_bytes": max(tape.high),
        "step_bytes": max(max(tape.high[: tape.passes]) + standing["inputs"], *tape.high[tape.passes :]),
    }
