"""TTD704."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.adapters import choice, told, trained
from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import BuiltStage
from tttdit.core.wording import written


class NothingTrains(Rule):
    """What: the spec says how to train, and the model says that nothing is trained.

    Why: with no parameter that takes a gradient there is no backward: the first step of a training run fails. A spec that is for sampling
    only is right without trained parameters, and needs neither `[training]` nor `[optimizer]`.

    Example: `adapter = "none"` beside `[training] steps = 5000`.

    Instead: an adapter that trains ("sft", "qkvo"), or no `[training]` and no `[optimizer]`.

    Fix: none; which of the two is meant, a person knows.
    """

    code = "TTD704"
    name = "nothing-trains"
    severity = "warning"

    def inspect(self, built: BuiltStage, before: BuiltStage | None) -> Iterator[Finding]:
        """One finding at the key that decides what is trained."""
        stage = built.stage
        tables = [table for table in ("training", "optimizer") if stage.wrote(table)]
        if not tables or trained(built):
            return
        yield self.finding(
            f"{told(built)} trains no parameter of the model, and the spec says how to train it",
            key=choice(built),
            help=f"write another {choice(built)} to train, or leave {' and '.join(f'[{table}]' for table in tables)} out to sample",
            related=written(stage, dict.fromkeys(tables, "how to train")),
        )
