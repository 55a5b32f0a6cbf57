"""Bytes over one step, by component.

A step has tens of thousands of operators and a screen a thousand columns: neighbours are one column, and each column shows its highest
moment, so that no peak is lost.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from heapq import nlargest
from itertools import accumulate

from attrs import evolve, frozen

from tttdit.checker.memory.explaining import Tensors, described, in_any_layer, workspace_of
from tttdit.checker.memory.stage_view import StageView
from tttdit.checker.render.page.components import Components, components, name_of
from tttdit.core.symbolic.tape import Allocation, Tape

COLUMNS = 480
_NAMED = 5  # tensors that a column names


@frozen
class Column:
    """The highest moment of some neighbours: its number, its bytes by component, and the largest tensors that live then."""

    at: int
    bytes: tuple[int, ...]
    largest: tuple[tuple[int, int], ...]  # numbers in `Timeline.tensors`, and how many of each

    @property
    def total(self) -> int:
        """All that lives, what stands before the step included."""
        return sum(self.bytes)


@frozen
class Timeline:
    """One step. `tensors` are those that columns name."""

    components: Components
    columns: tuple[Column, ...]
    tensors: tuple[Tensors, ...]
    peak: int  # the column of the peak


def timeline(view: StageView) -> Timeline:
    """The columns of a stage's step."""
    tape, moments = view.tape, list(_highest(view.tape))
    series = _series(tape, view.standing)
    parts = components({name: max(values) for name, values in series.items()})
    stacked = [[0] * len(moments) for _ in parts.every]
    for name, values in series.items():
        if any(values):
            row = stacked[parts.number(name)]
            for number, at in enumerate(moments):
                row[number] += values[at]
    tensors: dict[Tensors, int] = {}
    columns = []
    for number, (at, largest) in enumerate(_largest_tensors(tape, moments)):
        named = tuple((tensors.setdefault(each, len(tensors)), each.count) for each in largest)
        columns.append(Column(at, tuple(row[number] for row in stacked), named))
    return Timeline(parts, tuple(columns), tuple(tensors), moments.index(tape.highest_at))


def _highest(tape: Tape) -> Iterator[int]:
    """Of each run of neighbours the highest moment, the first of equals."""
    count = len(tape.moments)
    columns = min(COLUMNS, count)
    for column in range(columns):
        run = range(column * count // columns, (column + 1) * count // columns)
        yield max(run, key=lambda at: tape.high[at])


def _series(tape: Tape, standing: Mapping[str, int]) -> Mapping[str, list[int]]:
    """The bytes of each component at every moment, over what stands before the step."""
    changes: dict[str, list[int]] = defaultdict(lambda: [0] * (len(tape.moments) + 1))
    for name, count in standing.items():
        changes[name][0] += count
    for one in tape.allocations:
        change = changes[name_of(one.kind, tape.moments[one.made].region)]
        change[one.made] += one.nbytes
        if one.gone is not None:
            change[one.gone] -= one.nbytes
    series = {name: list(accumulate(change[:-1])) for name, change in changes.items()}
    workspace = [moment.workspace for moment in tape.moments]
    if any(workspace):
        before = series.get("workspace", [0] * len(workspace))
        series["workspace"] = [a + b for a, b in zip(before, workspace, strict=True)]
    return series


def _largest_tensors(tape: Tape, moments: list[int]) -> Iterator[tuple[int, list[Tensors]]]:
    """What is largest at each of these moments, those alike in any layer added up."""
    sorts = [_sort(tape, one) for one in tape.allocations]
    example = dict(zip(sorts, tape.allocations, strict=True))
    made, gone = defaultdict(list), defaultdict(list)
    for sort, one in zip(sorts, tape.allocations, strict=True):
        made[one.made].append(sort)
        if one.gone is not None:
            gone[one.gone].append(sort)
    counts: Counter[tuple[object, ...]] = Counter()
    known: dict[tuple[object, ...], Tensors] = {}
    before = -1
    for at in moments:
        for now in range(before + 1, at + 1):
            counts.update(made[now])
            counts.subtract(gone[now])
        before = at
        alive = ((count * example[sort].nbytes, sort, count) for sort, count in counts.items() if count)
        found = []
        for _, sort, count in nlargest(_NAMED, alive, key=lambda item: item[0]):
            if sort not in known:
                known[sort] = _in_any_layer(described(tape, example[sort]), tape.layers)
            found.append(evolve(known[sort], count=count))
        if tape.moments[at].workspace:
            found.append(_in_any_layer(workspace_of(tape.moments[at]), tape.layers))
        yield at, nlargest(_NAMED, found, key=lambda each: each.total)


def _sort(tape: Tape, one: Allocation) -> tuple[object, ...]:
    """What makes tensors alike. Shapes are the same objects where they have the same formulas: a tape repeats what it has recorded."""
    maker = tape.moments[one.made]
    place, region = in_any_layer(maker.place, tape.layers), in_any_layer(maker.region, tape.layers)
    return maker.name, place, region, maker.phase, maker.recomputing, maker.line, one.kind, one.dtype, id(one.shape)


def _in_any_layer(tensors: Tensors, layers: str) -> Tensors:
    return evolve(tensors, place=in_any_layer(tensors.place, layers), region=in_any_layer(tensors.region, layers))
