"""TTD507."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.memory.waiting import nested_switches
from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.spec.writing import value
from tttdit.core.weighing import Outlook, Weighed
from tttdit.core.wording import spoken_bytes, spoken_flops, written


class FlagWithoutEffect(Rule):
    """What: a region of `[memory]` is recomputed for nothing: without that a step needs no byte more, and less time.

    Why: a layer group that is recomputed keeps its inputs only. What lies inside is recomputed with it, and a flag of its own means: once
    more, so that the group's replay keeps less. That lowers the peak where the peak stands while the region still waits for its turn. It
    is in vain where the region comes first in backward, as the MLP of a group of one layer does, or where the peak is somewhere else.

    Example: `mlp = true` with `transformer_checkpoint_layer_group_size = 1`: the MLP is replayed with its layer, and again before its
    backward, which follows at once.

    Instead: leave the flag out. Whether it has an effect is not decided by its name: both settings are predicted, and compared.

    Fix: unsafe. It turns the flag off: less is recomputed, the result is the same.
    """

    code = "TTD507"
    name = "flag-without-effect"
    severity = "warning"

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        """One finding for each flag inside a region that is recomputed anyway, if the step is no larger without it."""
        stage = weighed.stage
        for key, around in nested_switches(stage).items():
            full = f"memory.{key}"
            if not stage.wrote(full) or _is_needed(key, weighed):
                continue
            now, without = weighed.prediction, weighed.outlook(**{key: False})
            is_no_larger = without.peak_bytes <= now.peak_bytes and without.saved_bytes <= now.saved_bytes
            if is_no_larger and without.recompute_flops < now.recompute_flops:
                yield self.finding(
                    f"{full} = {value(getattr(stage.memory, key))} {_cost(now, without)} and saves no memory\n"
                    f"the peak is {spoken_bytes(now.peak_bytes)} with it, in {now.peak_at}, and "
                    f"{_other(now.peak_bytes, without.peak_bytes)} without",
                    key=full,
                    help=f"write {full} = false",
                    related=written(
                        stage, {f"memory.{outer.key}": "what is inside is recomputed anyway" for outer in around}
                    ),
                    fix=Fix("unsafe", (Edit(full, False),)),
                )


def _is_needed(key: str, weighed: Weighed) -> bool:
    """Whether it is known without another prediction that the peak would be higher: the region waits, and none around it does."""
    waiting = weighed.prediction.waiting
    outer = nested_switches(weighed.stage)[key]
    return key in waiting and not any(region.key in waiting for region in outer)


def _cost(now: Outlook, without: Outlook) -> str:
    """`recomputes 163 TFLOP in every step (5.9 % of it)`."""
    more = now.recompute_flops - without.recompute_flops
    return f"recomputes {spoken_flops(more)} in every step ({100 * more / max(1, now.flops):.1f} % of it)"


def _other(first: int, second: int) -> str:
    """A number of bytes that is set against another: `the same`, or so many that they differ."""
    if first == second:
        return "the same"
    text = spoken_bytes(second)
    return text if text != spoken_bytes(first) else f"{second:,} B"
