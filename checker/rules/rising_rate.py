"""TTD702."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.spec.wording import show
from tttdit.core.stage import Stage
from tttdit.core.wording import written

END = "optimizer.lr_end"


class RisingRate(Rule):
    """What: a learning rate ends higher than it begins.

    Why: after the warm-up the schedules go from `lr` and `lr_mixer` to `lr_end`. They are there to let the rates fall; where `lr_end` lies
    above, they rise until the last step. What is given a rate of 0, so that it stays as it is, does not stay then.

    Example: `lr = 1e-5` with `lr_end = 1e-4`; `lr = 0` with `lr_end = 1e-5`.

    Instead: `lr_end` no higher than the lowest of the rates; the same value keeps a rate constant.

    Fix: unsafe. It lowers `lr_end` to the lowest rate, which is another run.
    """

    code = "TTD702"
    name = "rising-rate"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding about all rates that would rise."""
        optimizer = stage.optimizer
        rates = {"optimizer.lr": optimizer.lr}
        if stage.assembly.mixer.module is not None:
            rates["optimizer.lr_mixer"] = optimizer.lr_mixer
        rising = {key: rate for key, rate in rates.items() if rate < optimizer.lr_end}
        if not rising:
            return
        told = " and ".join(f"{key} = {show(rate)}" for key, rate in rising.items())
        key = END if stage.wrote(END) else next(iter(rising))
        yield self.finding(
            f"{END} = {show(optimizer.lr_end)} is above {told}: after the warm-up the learning rate would rise to the end",
            key=key,
            help=f"write {END} = {show(min(rising.values()))}",
            related=written(stage, {other: f"{show(rate)} at first" for other, rate in rising.items() if other != key}),
            fix=Fix("unsafe", (Edit(END, min(rising.values())),)),
        )
