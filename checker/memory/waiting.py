"""Regions inside regions: which are recomputed twice, and which of them wait for that when the peak stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, takewhile

from tttdit.core.plugin.kinds import Region
from tttdit.core.stage import Stage
from tttdit.core.symbolic.tape import Moment, Tape


def nested_switches(stage: Stage) -> Mapping[str, tuple[Region, ...]]:
    """The switches of `[memory]` that are on and lie in regions that are recomputed anyway, by key; with these regions."""
    on = [region for region in stage.memory.declared if region.is_region and getattr(stage.memory, region.key)]
    nested = {
        region.key: tuple(outer for outer in on if region.key in outer.inside)
        for region in on
        if region.kind == "switch"
    }
    return {key: around for key, around in nested.items() if around}


def waiting_regions(tape: Tape, stage: Stage) -> frozenset[str]:
    """The nested switches whose regions, at the peak, have been run again as parts of a larger replay, and are yet to be replayed alone.

    What such a region keeps for backward is not there at the peak. Were it not recomputed by itself it would be, and the peak higher,
    unless it lies in another that waits.
    """
    nested = nested_switches(stage)
    if not nested:
        return frozenset()
    outermost = {outer.group or outer.key for around in nested.values() for outer in around if outer.key not in nested}
    at = tape.peak_at
    before = (tape.moments[index] for index in range(at, tape.forward - 1, -1))
    after = (tape.moments[index] for index in range(at, len(tape.moments)))
    replayed = set[str]()
    for names in _replays(before):
        replayed |= names
        if _names(names) & outermost:
            break
    later = _replays(after)
    if tape.moments[at].recomputing:
        next(later)  # the replay that is going on
    waiting = set[str]().union(*takewhile(lambda names: not _names(names) & outermost, later))
    return frozenset(_names(replayed & waiting) & nested.keys())


def _replays(moments: Iterable[Moment]) -> Iterator[set[str]]:
    """The regions, by their full names, of each stretch of moments that is a replay."""
    for is_replay, stretch in groupby(moments, key=lambda moment: moment.recomputing):
        if is_replay:
            yield {moment.region for moment in stretch}


def _names(regions: Iterable[str]) -> set[str]:
    """`attention` of `layers.0.attention`."""
    return {region.rpartition(".")[2] for region in regions}
