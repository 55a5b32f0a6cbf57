"""TTD506."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.memory.remedy import remedy
from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.weighing import Outlook, Weighed
from tttdit.core.wording import spoken_bytes, spoken_flops, written

GPU, SIZE = "hardware.gpu", "hardware.gpu_memory_gib"
_STATES = ("parameters", "gradients", "optimizer")
_TOLD = 3  # parts, the largest first


class OverBudget(Rule):
    """What: a training step needs more memory than the GPU has.

    Why: a rank that asks for more ends with `CUDA out of memory`, often hours into a queue, and not always in its first step. What it needs
    is predicted, byte by byte: all tensors at the highest moment of a whole step (forward, backward, the optimizer), and what the CUDA
    context and NCCL take beside torch. What the allocator's blocks waste comes on top and is not counted here: where that decides,
    TTD509 says so.

    Example: the 5B model on 63-second videos with nothing recomputed but groups of layers.

    Instead: recompute more (`[memory]`), spread a sample over more ranks (`tp_sharding`), spread parameters and optimizer state over more
    ranks (`dp_sharding`), train fewer parameters (the model's `adapter`), or take a larger GPU.

    Fix: unsafe. It writes a setting of `[memory]` that fits, and in which no flag could be left out: the same result, in more time. There
    is none where no setting fits. `tttdit plan` searches all settings for the one with the least recomputation.
    """

    code = "TTD506"
    name = "over-budget"
    about_machine = True

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        """One finding at the GPU, where the spec names one."""
        stage = weighed.stage
        if not is_sized(stage) or stage.assembly.memory.planned:  # a planned strategy has said so itself: TTD520
            return
        now = weighed.prediction
        budget, needed = now.budget_bytes, now.total_bytes + now.outside_bytes
        if budget is None or needed <= budget:
            return
        help, edits = _remedy(weighed)
        yield self.finding(
            f"a rank needs {spoken_bytes(needed)}, {spoken_bytes(needed - budget)} more than the {spoken_bytes(budget)} of its GPU\n"
            f"at the highest moment, {now.total_at}: {_largest(now)}",
            key=gpu_key(stage),
            help=help,
            related=written(stage, {edit.key: "recompute more here" for edit in edits}),
            fix=Fix("unsafe", edits) if edits else None,
        )


def is_sized(stage: Stage) -> bool:
    """Whether the spec says how large a GPU is."""
    return stage.hardware.gpu is not None or stage.hardware.gpu_memory_gib is not None


def gpu_key(stage: Stage) -> str:
    """The key that says it."""
    return SIZE if stage.hardware.gpu_memory_gib is not None else GPU


def _largest(now: Outlook) -> str:
    """`activations 46.32 GiB, parameters 13.47 GiB`."""
    parts = sorted(now.parts.items(), key=lambda item: -item[1])[:_TOLD]
    return ", ".join(f"{name} {spoken_bytes(count)}" for name, count in parts if count)


def _remedy(weighed: Weighed) -> tuple[str, tuple[Edit, ...]]:
    """What to do, and the changes that do it."""
    found, now = remedy(weighed), weighed.prediction
    setting = ", ".join(f"{edit.key} = {_toml(edit.value)}" for edit in found.edits)
    needed = spoken_bytes(found.outlook.needed_bytes)
    if found.outlook.fits:
        more = found.outlook.recompute_flops - now.recompute_flops
        return (
            f"write {setting}: {needed}, for {spoken_flops(more)} more in every step ({100 * more / max(1, now.flops):.1f} %)\n"
            "tttdit plan says whether less is enough",
            found.edits,
        )
    state = sum(count for name, count in now.parts.items() if name in _STATES)
    spread = "parallelism.dp_sharding" if 2 * state > now.total_bytes else "parallelism.tp_sharding"
    closest = f"{setting} would leave {needed}, which is too much" if setting else "to recompute more does not help"
    return f"{closest}\na larger {spread} spreads the largest part over more ranks", ()


def _toml(value: object) -> str:
    return str(value).lower()
