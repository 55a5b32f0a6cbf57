"""Every setting of `[memory]` that a stage could have: all switches, all layer groups that come out even, scan groups in powers of two.

Decided by what the model's and the mixer's plugins declare (`tttdit.core.plugin.kinds.Region`), whatever these are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from attrs import frozen

from tttdit.core.plugin.kinds import Region
from tttdit.core.solving.progressions import divisors
from tttdit.core.stage import Stage


@frozen
class Setting:
    """Values for all keys of `[memory]` that are regions: a bool for a switch, a number for a size."""

    values: Mapping[str, bool | int]


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


def settings(stage: Stage, fixed: Mapping[str, bool | int] | None = None) -> tuple[Setting, ...]:
    """Every setting of the stage, from nothing recomputed to everything. Settings that mean the same are one.

    A size that makes a region of its own (`Region.group`) takes 0, by which nothing is recomputed, and the divisors of what it groups; one
    whose steps an operator groups by itself takes the powers of two below what it groups, and 0, which is one group of all. Keys in
    `fixed` have that one value.
    """
    held = fixed or {}
    choices = {
        region.key: (held[region.key],) if region.key in held else _values(region, stage)
        for region in regions_of(stage)
    }
    return tuple(Setting(dict(zip(choices, values, strict=True))) for values in product(*choices.values()))


def own_setting(stage: Stage) -> Setting:
    """The setting that the spec has, in the words of `settings`: of sizes that mean the same, the one listed there."""
    return Setting(
        {region.key: _plain(region, getattr(stage.memory, region.key), stage) for region in regions_of(stage)}
    )


def regions_of(stage: Stage) -> tuple[Region, ...]:
    """The regions whose keys a setting has: those that the model and the mixer declare, options of the runtime left out."""
    return tuple(region for region in stage.memory.declared if region.is_region)


def _values(region: Region, stage: Stage) -> tuple[bool | int, ...]:
    if region.kind == "switch":
        return (False, True)
    count = _count(region, stage)
    if count is None:  # the declaration does not say what is grouped: only what the spec has is sure to mean something
        return (getattr(stage.memory, region.key),)
    return (0, *reversed(divisors(count))) if region.group else (0, *reversed([*_powers_of_two(count)]))


def _plain(region: Region, value: bool | int, stage: Stage) -> bool | int:
    """The value in its plainest form: more than there are to group is all of them."""
    count = _count(region, stage) if region.kind == "size" else None
    if count is None or value < count:
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
