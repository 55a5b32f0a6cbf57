"""TTD705."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.adapters import choice, told, trained
from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import BuiltStage


class FrozenNewWeights(Rule):
    """What: a part of the model is not trained, and starts with new, random weights.

    Why: what is frozen stays what it is at the start. Without `checkpoint.init_from` the first stage starts with random numbers, which then
    never learn: the part that is trained has to work through noise.

    Example: `adapter = "qkvo"` in a spec of one stage without `[checkpoint] init_from`.

    Instead: `init_from`, the weights of a model that was trained (those of the stage before, or what `tttdit convert-weights` made of a
    pretrained model). Or train everything in the first stage, `adapter = "sft"`. Later stages of a curriculum go on from the one before.

    Fix: none; where the weights are, a person knows.
    """

    code = "TTD705"
    name = "frozen-new-weights"
    severity = "warning"

    def inspect(self, built: BuiltStage, before: BuiltStage | None) -> Iterator[Finding]:
        """One finding at the key that decides what is trained, in a first stage that says how to train."""
        stage, some = built.stage, trained(built)
        if not (built.is_first and stage.wrote("training")) or stage.checkpoint.init_from is not None:
            return
        if not some or len(some) == len(built.parameters):
            return
        yield self.finding(
            f"{told(built)} leaves a part of the model as it starts, which is random: checkpoint.init_from names no weights",
            key=choice(built),
            help='write checkpoint.init_from = "...", the weights of a trained model',
        )
