"""TTD715."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.spec.wording import show
from tttdit.core.stage import Stage

# What the inner loop learns with, and no parameter's shape depends on.
KEYS = ("mini_batch_size", "base_learning_rate", "learning_rates", "ttt_norm_eps")


class InnerLoop(Rule):
    """What: the inner loop of a stage's TTT mixer learns in another way than in the stage before.

    Why: the mixer's weights have learned to be trained further by this loop, with this step width. A token's learning rate is
    `base_learning_rate` over the head width and the mini-batch size: with mini-batches of 16 instead of 64 it is four times as large. The
    weights fit, and the mixer does something else with them.

    Example: `mini_batch_size = 64` in the first stage, 16 in the second.

    Instead: the values of the stage before, or `checkpoint.init_from` with weights that were trained so. Where the sequence asks for
    another mini-batch, another text length (`tttdit solve spec.toml text.tokens_per_segment`) lets it stay.

    Fix: unsafe. It writes the value of the stage before, with which the model computes something else.
    """

    code = "TTD715"
    name = "inner-loop"
    severity = "warning"

    def follow(self, before: Stage, stage: Stage) -> Iterator[Finding]:
        """One finding for each value."""
        if before.assembly.mixer != stage.assembly.mixer or not stage.inherits_weights:
            return
        for name in KEYS:
            was, value = getattr(before.mixer, name), getattr(stage.mixer, name)
            if was != value:
                key = f"model.mixer.{name}"
                yield self.finding(
                    f"{key} = {show(value)} was {show(was)} in the stage before, with which its weights were trained",
                    key=key,
                    help=f"write {key} = {show(was)}",
                    fix=Fix("unsafe", (Edit(key, was),)),
                )
