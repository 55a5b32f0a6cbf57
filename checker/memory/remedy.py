"""A setting of `[memory]` in which a stage fits its GPU, found with few predictions.

Not the best there is, which takes a search through all of them (`tttdit plan`), but one in which no switch could be left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from tttdit.checker.memory.settings import in_all_layers
from tttdit.core.findings import Edit
from tttdit.core.plugin.kinds import Region
from tttdit.core.solving.progressions import divisors
from tttdit.core.stage import Stage
from tttdit.core.weighing import Outlook, Weighed


@frozen
class Remedy:
    """A setting, as values of keys of `[memory]` that the spec has otherwise, and what a step needs in it."""

    values: Mapping[str, bool | int]
    outlook: Outlook

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The changes that make the setting of the spec's own."""
        return tuple(Edit(f"memory.{key}", value) for key, value in self.values.items())


def remedy(weighed: Weighed) -> Remedy:
    """A setting that fits a GPU that the spec names; where none of those tried does, the one of them with the fewest bytes, be it the own.

    First every region is recomputed; where that does not fit, in larger groups, as long as each size is better than the one before. Of what
    fits each switch is left out again, the one that costs most first, if it fits without. Raises Unpredicted where bytes cannot be said.
    """
    stage = weighed.stage
    found = _everything(weighed)
    for region in _groups(stage) if not found.outlook.fits else ():
        found = _larger(region, found, weighed)
    if found.outlook.fits:
        for region in sorted(_switches(stage), key=lambda region: -len(region.inside)):
            less = _tried({key: value for key, value in found.values.items() if key != region.key}, weighed)
            found = less if less.outlook.fits else found
    own = Remedy({}, weighed.prediction)
    return found if found.outlook.needed_bytes < own.outlook.needed_bytes else own


def _everything(weighed: Weighed) -> Remedy:
    """All switches on, and groups of one where there are none."""
    stage = weighed.stage
    groups = {region.key: 1 for region in _groups(stage) if getattr(stage.memory, region.key) == 0}
    switches = {**in_all_layers(stage), **{region.key: True for region in _switches(stage)}}
    return _tried({**groups, **switches}, weighed)


def _larger(region: Region, found: Remedy, weighed: Weighed) -> Remedy:
    """The setting with groups of a size that fits, or of the best size."""
    stage = weighed.stage
    size, count = found.values.get(region.key, getattr(stage.memory, region.key)), int(stage.dims[region.count])
    for larger in (one for one in divisors(count, count - 1) if one > size):
        other = _tried({**found.values, region.key: larger}, weighed)
        if other.outlook.needed_bytes >= found.outlook.needed_bytes:
            break
        found = other
        if found.outlook.fits:
            break
    return found


def _switches(stage: Stage) -> list[Region]:
    """The switches that are off, in all layers or in some."""
    regions = (region for region in stage.memory.declared if region.is_region and region.kind == "switch")
    return [region for region in regions if getattr(stage.memory, region.key) is not True]


def _groups(stage: Stage) -> list[Region]:
    """The sizes by which a module groups what it recomputes."""
    return [
        region for region in stage.memory.declared if region.is_region and region.group and region.count in stage.dims
    ]


def _tried(values: Mapping[str, bool | int], weighed: Weighed) -> Remedy:
    return Remedy(values, weighed.outlook(**values))
