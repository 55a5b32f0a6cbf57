"""Settings in which the first layers are recomputed otherwise than the rest.

Layers do what they do whatever their neighbours do, so that a step of unlike layers is put together from runs of steps whose layers are
alike. (But for some hundred bytes: what all layers share, such as the timestep's embedding, is kept by the first that needs it.) What the
last layers keep is let go first in backward, before the first layers are replayed: of two ways that which keeps more belongs at the end,
which the search finds by trying both orders.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, permutations

from attrs import evolve, frozen

from tttdit.checker.memory.front import front
from tttdit.checker.memory.settings import Outlook, Setting, group_switch
from tttdit.core.plugin.layers import layers_text
from tttdit.core.stage import Stage
from tttdit.core.symbolic.atlas import Sheet
from tttdit.core.symbolic.evaluating import Evaluation, Figures, RunFigures
from tttdit.core.symbolic.periods import HEAD, grouping, repeated


@frozen
class Way:
    """A setting that all layers may have: the sheet of its runs, and the sizes that operators are given."""

    setting: Setting
    sheet: Sheet
    sizes: Mapping[str, int]


@frozen
class Mixed:
    """The outlooks of mixed settings that no other mixed one is better than, and how many settings there are."""

    outlooks: tuple[Outlook, ...]
    count: int


def mixed(
    stage: Stage,
    ways: Iterable[Way],
    evaluation: Evaluation,
    layers: int,
    outlook: Callable[[Setting, Figures], Outlook],
    *,
    groups_send: bool,
) -> Mixed:
    """All mixtures of two of these ways that have their sizes in common; `outlook` says what figures mean for the stage's rank.

    Ways are of layers alone, or in groups of one. Where groups may send something in front of their first layer, as tensor-parallel
    ranks do, a layer alone is not like one in a group, and the two are not mixed.
    """
    by_sizes: dict[tuple[object, ...], list[_Layers]] = defaultdict(list)
    group = grouping(stage)
    for way in ways:
        apart = way.setting.values[group] if groups_send and group is not None else None
        by_sizes[apart, *way.sizes.items()].append(_Layers(way, evaluation, layers))
    found, count = list[Outlook](), 0
    for alike in by_sizes.values():
        count += len(alike) * (len(alike) - 1) * (layers - 1)
        for first, second, cut in _best(_not_beaten(alike), layers):
            found.append(outlook(_setting(stage, first, second, cut), _figures(first, second, cut)))
    return Mixed(front(found), count)


@frozen
class _Stretch:
    """Runs one after the other: what they leave behind, and the most that lives in them beside what lived before, as blocks."""

    change: int = 0
    top: int = 0

    def then(self, other: _Stretch) -> _Stretch:
        return _Stretch(self.change + other.change, max(self.top, self.change + other.top))


class _Layers:
    """A model's layers, all of one way: of each its runs in forward and in backward."""

    def __init__(self, way: Way, evaluation: Evaluation, layers: int) -> None:
        self.setting = way.setting
        runs: dict[tuple[str, int], list[RunFigures]] = defaultdict(list)
        rows = way.sheet.rows
        for (phase, group, _, layer), number in zip(way.sheet.whos, way.sheet.runs, strict=True):
            runs[phase, group * rows.size + layer].append(evaluation.run(number, way.sizes))
        places = [_place(layer, rows.layers, layers) for layer in range(layers)]
        self.head = runs[HEAD, 0]
        self.forward = [runs["forward", place] for place in places]
        self.backward = [runs["backward", place] for place in places]
        self.recomputed = [
            sum(run.recompute_flops for run in there + back)
            for there, back in zip(self.forward, self.backward, strict=True)
        ]

    def costs(self) -> tuple[int, ...]:
        """All that a step's bytes, and its work, grow with."""
        found = [*self.recomputed]
        for forward, backward in ((self.head, ()), *zip(self.forward, self.backward, strict=True)):
            there, back = _stretch(forward), _stretch(backward)
            found += [there.change, there.top, there.change + back.change, back.top]
        return tuple(found)


def _place(layer: int, few: int, many: int) -> int:
    """The layer of those recorded that is like one of many."""
    first, more = repeated(few), many - few
    return layer if layer <= first else max(first, layer - more)


def _stretch(runs: Iterable[RunFigures]) -> _Stretch:
    found = _Stretch()
    for run in runs:
        found = found.then(_Stretch(run.change_in_blocks, run.top_in_blocks))
    return found


def _not_beaten(ways: Sequence[_Layers]) -> list[_Layers]:
    """The ways that none of the others is at least as good as in every respect; of those that are alike the first."""
    costs = [way.costs() for way in ways]

    def is_beaten(number: int) -> bool:
        mine = costs[number]
        return any(
            all(map(int.__le__, other, mine)) and (other != mine or at < number)
            for at, other in enumerate(costs)
            if at != number
        )

    return [way for number, way in enumerate(ways) if not is_beaten(number)]


def _best(ways: Sequence[_Layers], layers: int) -> Iterator[tuple[_Layers, _Layers, int]]:
    """Pairs of ways, with the number of layers of the first, that no other pair is better than."""
    firsts = {id(way): _as_first(way) for way in ways}
    seconds = {id(way): _as_second(way) for way in ways}
    found = []
    for first, second in permutations(ways, 2):
        before, after, recomputed = firsts[id(first)]
        between, left = seconds[id(second)]
        for cut in range(1, layers):
            peak = before[cut].then(between[cut]).then(after[cut]).top
            found.append((peak, recomputed[cut] + left[cut], first, second, cut))
    found.sort(key=lambda each: each[:2])
    least = None
    for _, work, first, second, cut in found:
        if least is None or work < least:
            least = work
            yield first, second, cut


def _as_first(way: _Layers) -> tuple[list[_Stretch], list[_Stretch], list[int]]:
    """Of the first so many layers, from 0 to all: head and forward, backward, and what is recomputed."""
    there = accumulate(map(_stretch, way.forward), _Stretch.then, initial=_stretch(way.head))
    back = accumulate(map(_stretch, way.backward), lambda done, one: one.then(done), initial=_Stretch())
    return [*there], [*back], [*accumulate(way.recomputed, initial=0)]


def _as_second(way: _Layers) -> tuple[list[_Stretch], list[int]]:
    """Of all layers behind the first so many: forward and backward, and what is recomputed."""
    both = zip(map(_stretch, way.forward), map(_stretch, way.backward), strict=True)
    stretches = [_Stretch()]
    for there, back in reversed([*both]):
        stretches.append(there.then(stretches[-1]).then(back))
    return stretches[::-1], [*accumulate(reversed(way.recomputed), initial=0)][::-1]


def _figures(first: _Layers, second: _Layers, cut: int) -> Figures:
    """Of the step in which the first `cut` layers go one way, and the others another."""
    of_layer = [first] * cut + [second] * (len(second.forward) - cut)
    runs = [*first.head]
    runs += [run for at, way in enumerate(of_layer) for run in way.forward[at]]
    runs += [run for at, way in reversed([*enumerate(of_layer)]) for run in way.backward[at]]
    live = peak = blocks = peak_in_blocks = saved = 0
    for run in runs:
        peak, peak_in_blocks = max(peak, live + run.top), max(peak_in_blocks, blocks + run.top_in_blocks)
        saved = saved if run.saved is None else live + run.saved
        live, blocks = live + run.change, blocks + run.change_in_blocks
    flops = sum(run.flops for run in runs)
    return Figures(saved, peak, peak_in_blocks, flops, sum(run.recompute_flops for run in runs))


def _setting(stage: Stage, first: _Layers, second: _Layers, cut: int) -> Setting:
    """The setting that says so."""
    one, other = first.setting.values, second.setting.values
    start, rest = layers_text(0, cut - 1), layers_text(cut, len(second.forward) - 1)
    values: dict[str, bool | int | str] = dict(one)
    size = grouping(stage)
    for key, value in one.items():
        if isinstance(value, bool) and value != other[key]:
            values[key] = start if value else rest
    if size is not None and one[size] != other[size]:
        values[size], values[group_switch(stage, size)] = 1, start if one[size] else rest
    return evolve(first.setting, values=values)
