"""Every setting of `[memory]` that a stage could have: all switches, all layer groups that come out even, scan groups in powers of two.

Decided by what the model's and the mixer's plugins declare (`tttdit.core.plugin.kinds.Region`), whatever these are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from attrs import frozen

from tttdit.checker.memory.prediction import Prediction
from tttdit.core.plugin.kinds import Region
from tttdit.core.plugin.memory import LayeredTable
from tttdit.core.solving.progressions import divisors
from tttdit.core.stage import Stage


@frozen
class Setting:
    """Values for all keys of `[memory]` that are regions: a number for a size; for a switch a bool, or the layers in which it is on."""

    values: Mapping[str, bool | int | str]


@frozen(kw_only=True)
class Outlook:
    """What one training step of one rank needs in a setting; the words are those of `Prediction`.

    `flops` are those of forward and backward, `recompute_flops` included. `reserved_bytes` is None where nobody asked what the allocator's
    blocks waste, `fits` where the spec names no GPU.
    """

    setting: Setting
    saved_bytes: int
    peak_bytes: int
    total_bytes: int
    recompute_flops: int
    flops: int
    reserved_bytes: int | None
    fits: bool | None

    @property
    def recompute_share(self) -> float:
        """What is recomputed, as a share of all that the step computes."""
        return self.recompute_flops / self.flops if self.flops else 0.0


def outlook_of(setting: Setting, prediction: Prediction) -> Outlook:
    """The outlook of a setting that has been predicted."""
    return Outlook(
        setting=setting,
        saved_bytes=prediction.saved_bytes,
        peak_bytes=prediction.peak_bytes,
        total_bytes=prediction.total_bytes,
        recompute_flops=prediction.recompute_flops,
        flops=prediction.flops,
        reserved_bytes=prediction.reserved_bytes,
        fits=prediction.fits,
    )


def settings(stage: Stage, fixed: Mapping[str, bool | int | str] | None = None) -> tuple[Setting, ...]:
    """Every setting that is the same in all layers, from nothing recomputed to everything. Settings that mean the same are one.

    A size that makes a region of its own (`Region.group`) takes 0, by which nothing is recomputed, and the divisors of what it groups; one
    whose steps an operator groups by itself takes the powers of two below what it groups, and 0, which is one group of all. Keys in
    `fixed` have that one value.
    """
    held = fixed or {}
    choices: dict[str, tuple[bool | int | str, ...]] = {
        region.key: (held[region.key],) if region.key in held else _values(region, stage)
        for region in regions_of(stage)
    }
    choices |= dict.fromkeys(_group_switches(stage), (True,))
    return tuple(Setting(dict(zip(choices, values, strict=True))) for values in product(*choices.values()))


def own_setting(stage: Stage) -> Setting:
    """The setting that the spec has, in the words of `settings`: of sizes that mean the same, the one listed there."""
    values = {region.key: _plain(region, getattr(stage.memory, region.key), stage) for region in regions_of(stage)}
    return Setting({**values, **{key: getattr(stage.memory, key) for key in _group_switches(stage)}})


def in_all_layers(stage: Stage) -> Mapping[str, bool]:
    """The switches that the spec has on in some layers only, on in all."""
    keys = (*(region.key for region in regions_of(stage)), *_group_switches(stage))
    return {key: True for key in keys if isinstance(getattr(stage.memory, key), str)}


def group_switch(stage: Stage, size: str) -> str:
    """The key by which a `LayeredTable` says which groups of a size are recomputed."""
    (region,) = (region for region in regions_of(stage) if region.key == size)
    return region.group


def regions_of(stage: Stage) -> tuple[Region, ...]:
    """The regions whose keys a setting has: those that the model and the mixer declare, options of the runtime left out."""
    return tuple(region for region in stage.memory.declared if region.is_region)


def _group_switches(stage: Stage) -> tuple[str, ...]:
    """The keys of groups that have a switch of their own."""
    regions = regions_of(stage) if isinstance(stage.memory, LayeredTable) else ()
    return tuple(region.group for region in regions if region.group)


def _values(region: Region, stage: Stage) -> tuple[bool | int, ...]:
    if region.kind == "switch":
        return (False, True)
    count = _count(region, stage)
    if count is None:  # the declaration does not say what is grouped: only what the spec has is sure to mean something
        return (getattr(stage.memory, region.key),)
    return (0, *reversed(divisors(count))) if region.group else (0, *reversed([*_powers_of_two(count)]))


def _plain(region: Region, value: bool | int | str, stage: Stage) -> bool | int | str:
    """The value in its plainest form: more than there are to group is all of them."""
    count = _count(region, stage) if region.kind == "size" else None
    if count is None or isinstance(value, str) or value < count:
        return value
    return count if region.group else 0


def _count(region: Region, stage: Stage) -> int | None:
    """How many pieces a size groups. Raises Unresolved where the stage's dimension has no value."""
    return int(stage.dims[region.count]) if region.count in stage.dims else None


def _powers_of_two(below: int) -> Iterator[int]:
    size = 1
    while size < below:
        yield size
        size *= 2
