"""TTD706."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding, Fix, Removal
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage

KEYS = ("optimizer.lr_mixer", "optimizer.mixer_schedule")


class RateWithoutMixer(Rule):
    """What: the mixers have a learning rate, or a schedule, of their own, and the model has no mixer.

    Why: it runs, and the key has no effect: everything learns at `optimizer.lr`.

    Example: `lr_mixer = 1e-4` with `[model.mixer] plugin = "none"`.

    Instead: leave the key out, or name a mixer. Stages that do have a mixer may go on inheriting it.

    Fix: shown only, for other stages may inherit the key.
    """

    code = "TTD706"
    name = "rate-without-mixer"
    severity = "info"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for each such key."""
        mixer = stage.assembly.mixer
        for key in KEYS if mixer.module is None else ():
            if stage.wrote(key):
                yield self.finding(
                    f'{key} has no effect: with the mixer "{mixer.name}" there are no parameters that it is for',
                    key=key,
                    help=f"leave {key} out",
                    fix=Fix("shown", (Removal(key),)),
                )
