"""TTD511."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding, Related
from tttdit.core.plugin.kinds import Region
from tttdit.core.plugin.layers import layers_of, layers_text
from tttdit.core.plugin.memory import LayeredTable
from tttdit.core.rules import Rule
from tttdit.core.spec import writing
from tttdit.core.stage import Stage


class LayersNamed(Rule):
    """What: a key of `[memory]` names layers that there are not, or no layers at all.

    Why: with a strategy that tells layers apart (`selective`) a switch may be the text of layers, counted from 0. What no layer answers to
    changes nothing, and a step that was meant to recompute would keep everything. Groups are recomputed where their first layer is named:
    in groups of two, naming layer 5 alone does nothing.

    Example: `attention = "30-42"` for a model of 42 layers, whose last is 41.

    Instead: `attention = "30-41"`, or true for all layers. For groups name their first layers, or ranges from a first layer on.

    Fix: none. Which layers were meant, the rule cannot know.
    """

    code = "TTD511"
    name = "layers-named"
    severity = "error"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for each key that says layers, and not the model's."""
        if not isinstance(stage.memory, LayeredTable):
            return
        for region in stage.memory.declared:
            key = region.key if region.kind == "switch" else region.group
            text = getattr(stage.memory, key) if key else None
            if isinstance(text, str):
                yield from self._of_text(f"memory.{key}", text, region, stage)

    def _of_text(self, key: str, text: str, region: Region, stage: Stage) -> Iterator[Finding]:
        chosen, shown = layers_of(text), writing.value(text)
        if chosen is None:
            yield self.finding(
                f"{key} = {shown} says no layers",
                key=key,
                help='write layers counted from 0, such as "0-17, 30"; or true for all, or false',
            )
            return
        grouped = _grouped(stage)
        if grouped is None:
            return
        count, dimension = int(stage.dims[grouped.count]), stage.dims.describe(grouped.count)
        related = [Related(f"{count:,} {dimension.meaning}", other) for other in dimension.keys]
        if max(chosen) >= count:
            last = layers_text(0, count - 1)
            yield self.finding(
                f"{key} = {shown} names layer {max(chosen):,}, and the model's {count:,} layers are {last}",
                key=key,
                help=f'write layers of "{last}"; or true for all, or false',
                related=related,
            )
        elif region.group:
            size = int(getattr(stage.memory, region.key))
            left = [layer for layer in sorted(chosen) if size and layer // size * size not in chosen]
            if left:
                first = left[0] // size * size
                yield self.finding(
                    f"{key} = {shown} names layer {left[0]:,}, whose group of {size:,} begins with layer {first:,}: "
                    "it is recomputed only where that is named",
                    key=key,
                    help=f"name layer {first:,} too, or leave {left[0]:,} out",
                    related=[Related(f"groups of {size:,}", f"memory.{region.key}")],
                    severity="warning",
                )


def _grouped(stage: Stage) -> Region | None:
    """The region that groups the model's layers, whose dimension counts them."""
    model = stage.assembly.model
    regions = (region for region in model.regions if region.group and region.count == model.repeated)
    return next((region for region in regions if region.count in stage.dims), None)
