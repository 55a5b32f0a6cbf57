"""TTD716."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.spec.wording import show
from tttdit.core.stage import Stage

# What the weights have learned to live with, and no shape of theirs depends on.
KEYS = ("attention_frames", "prefix_frames", "rope_theta", "norm_eps", "qk_norm_eps")


class OtherGeometry(Rule):
    """What: the attention's windows, its positions or the norms of a stage are not those of the stage before.

    Why: the weights of the stage before fit, for no shape depends on these values, and compute something else: they have learned with
    windows of so many frames and positions of so many wave lengths.

    Example: `model.rope_theta = 100000.0` in a later stage.

    Instead: the values of the stage before, or `checkpoint.init_from` with weights that were trained so.

    Fix: unsafe. It writes the value of the stage before, with which the model computes something else.
    """

    code = "TTD716"
    name = "other-geometry"
    severity = "warning"

    def follow(self, before: Stage, stage: Stage) -> Iterator[Finding]:
        """One finding for each value."""
        if before.assembly.model != stage.assembly.model or not stage.inherits_weights:
            return
        for name in KEYS:
            was, value = getattr(before.model, name), getattr(stage.model, name)
            if was != value and None not in (was, value):
                key = f"model.{name}"
                yield self.finding(
                    f"{key} = {show(value)} was {show(was)} in the stage before, whose weights this one starts with",
                    key=key,
                    help=f"write {key} = {show(was)}",
                    fix=Fix("unsafe", (Edit(key, was),)),
                )
