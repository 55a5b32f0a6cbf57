"""The record of a whole step, from that of a few of its layers.

Layers that are alike do alike: of a step with 42 of them the first, two in the middle and the last say everything. They are recorded, it is
made sure that those in the middle did the same, operator by operator and allocation by allocation, and as many more are put between them as
the model has. Layers that are recomputed in groups are two such rows, one in the other: groups, and layers of a group.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from tttdit.core.plugin.kinds import Strategy
from tttdit.core.stage import Stage
from tttdit.core.symbolic.lazy import Lazy
from tttdit.core.symbolic.stepping import Manner, record_step
from tttdit.core.symbolic.tape import Allocation, Moment, Standing, Tape

# So many of a row are recorded: two at each end, which have a neighbour, or the neighbour's neighbour, that others do not have, and two in
# the middle that must do the same. Of groups of several layers one at each end is enough: no layer's neighbours lie beyond the next group.
RECORDED, RECORDED_GROUPS = 6, 4
WORTH_IT = 0.6  # a record of more than this share of the layers takes as long as one of all


@frozen
class Rows:
    """Layers in groups: `groups` of `size`, and one of `rest` after them where that is not 0."""

    groups: int
    size: int
    rest: int = 0

    @property
    def layers(self) -> int:
        """How many there are in all."""
        return self.groups * self.size + self.rest

    def fewer(self) -> Rows:
        """The rows to record for these."""
        size = min(self.size, RECORDED + (self.rest >= RECORDED))
        groups = RECORDED if self.size == 1 else RECORDED_GROUPS
        return Rows(min(self.groups, groups), size, min(self.rest, size - 1))

    def place(self, layer: int) -> tuple[int, int]:
        """The group of a layer, and its number in it."""
        return divmod(layer, self.size)

    def length(self, group: int) -> int:
        """The layers of a group."""
        return self.size if group < self.groups else self.rest


def whole_step(stage: Stage, manner: Manner) -> Tape:
    """The record of one training step, with all layers: the same as `record_step` gives, sooner."""
    rows = rows_of(stage)
    few = None if rows is None or (manner.sharding and manner.sharding.holds_every_layer) else rows.fewer()
    if rows is None or few is None or few.layers > WORTH_IT * rows.layers:
        return record_step(stage, manner)
    tape = record_step(in_groups(stage, few), evolve(manner, layers=few.layers))
    whole = stretched(tape, few, rows) if tape.layers else None
    return whole if whole is not None else record_step(stage, manner)


def rows_of(stage: Stage) -> Rows | None:
    """The layers of a stage's model, as its memory strategy groups them; None where they are not all alike.

    Alike are layers of a model that says which of its keywords counts them, if the strategy says the same of each.
    """
    model = stage.assembly.model
    if model.repeated is None:
        return None
    layers = int(model.arguments(stage.model, stage.dims)[model.repeated])
    strategy = stage.assembly.memory.strategy(stage.memory)
    if strategy.tells_layers_apart:
        return None
    key = grouping(stage)
    size = strategy.group_size(key, layers) if key is not None else layers
    return Rows(layers // size, size, layers % size)


def grouping(stage: Stage) -> str | None:
    """The key of the region that groups the model's layers."""
    model = stage.assembly.model
    keys = [region.key for region in model.regions if region.group and region.count == model.repeated]
    return keys[0] if len(keys) == 1 else None


def in_groups(stage: Stage, rows: Rows) -> Stage:
    """The stage with its layers in groups of another size."""
    memory = stage.assembly.memory

    def strategy(table: Any) -> Strategy:
        return _Regrouped(memory.strategy(table), grouping(stage), rows.size)

    return evolve(stage, assembly=evolve(stage.assembly, memory=evolve(memory, strategy=strategy)))


@frozen
class _Regrouped:
    strategy: Strategy
    key: str | None
    size: int
    tells_layers_apart: bool = False  # else they are not put into other groups

    def recomputes(self, region: str) -> bool:
        return self.strategy.recomputes(region)

    def group_size(self, key: str, count: int) -> int:
        return self.size if key == self.key else self.strategy.group_size(key, count)


# -- runs: what one layer does in one go

# Who does something: (phase, group, visit, layer of the group). A recomputed group's layers are visited twice in backward, to
# replay and to go back, but the last one in one go: visits are counted from the end, -1 being the last.
Who: TypeAlias = "tuple[str, int, int, int]"
# An allocation as seen from the run that lets it go: who made it, as steps from here where it was a neighbour, and which of its.
Held: TypeAlias = "tuple[str, Any, int, Any, int]"


@frozen
class Run:
    """Moments of one layer, one after the other. `made` and `gone` have with each thing the moment, counted from the first, before which it
    comes or goes; `live` are the bytes that live at each moment, less those that lived before the first.
    """

    who: Who
    moments: Sequence[Moment]
    made: Sequence[tuple[int, Allocation]]
    gone: Sequence[tuple[int, Held]]
    live: Sequence[int]

    def does(self, other: Run) -> bool:
        """Whether another layer does the same."""
        return (
            self.gone == other.gone
            and [moment.name for moment in self.moments] == [moment.name for moment in other.moments]
            and [(at, one.shape, one.dtype, one.kind) for at, one in self.made]
            == [(at, one.shape, one.dtype, one.kind) for at, one in other.made]
        )


# What a layer was when it was recorded, and what it is now; and the same of the first layer of its group.
_Layers: TypeAlias = tuple[tuple[int, int], tuple[int, int]]

HEAD = "head"  # the phase of what comes before all layers


def runs_of(tape: Tape, rows: Rows) -> list[Run]:
    """A record cut into runs. What happens between layers belongs to the one before."""
    makers: dict[int, tuple[Who, int]] = {}  # of each allocation: who made it, and which of its it is
    made: dict[int, list[Allocation]] = defaultdict(list)
    gone: dict[int, list[int]] = defaultdict(list)
    for allocation in tape.allocations:
        made[allocation.made].append(allocation)
        if allocation.gone is not None:
            gone[allocation.gone].append(allocation.number)
    runs, before = list[Run](), 0
    for start, end, who in cut(tape, rows):
        here = [(at - start, one) for at in range(start, end) for one in made.get(at, ())]
        for which, (_, one) in enumerate(here):
            makers[one.number] = who, which
        # what goes when all is over goes with the last run
        until = end + (end == len(tape.moments))
        let_go = [
            (at - start, _held(who, *makers[number], rows)) for at in range(start, until) for number in gone.get(at, ())
        ]
        runs.append(Run(who, tape.moments[start:end], here, let_go, [m.live - before for m in tape.moments[start:end]]))
        before = tape.moments[end - 1].live
    return runs


def cut(tape: Tape, rows: Rows) -> list[tuple[int, int, Who]]:
    """Where runs begin, where they end, and whose they are."""
    prefix = f"{tape.layers}."
    found: list[tuple[int, str, int, int]] = [(0, HEAD, 0, 0)]
    before = None
    for at, moment in enumerate(tape.moments):
        now = moment.place, moment.phase
        if now != before and moment.place.startswith(prefix):
            layer = int(moment.place[len(prefix) :].partition(".")[0])
            here = (moment.phase, *rows.place(layer))
            if here != found[-1][1:]:
                found.append((at, *here))
        before = now
    visits: dict[tuple[str, int, int], int] = defaultdict(int)
    runs: list[tuple[int, int, Who]] = []
    end = len(tape.moments)
    for at, phase, group, layer in reversed(found):
        visits[phase, group, layer] -= 1
        runs.append((at, end, (phase, group, visits[phase, group, layer], layer)))
        end = at
    return runs[::-1]


def _held(here: Who, maker: Who, number: int, rows: Rows) -> Held:
    phase, group, visit, layer = maker
    if phase == HEAD:
        return phase, 0, 0, 0, number
    its_group = _from(here[1], group, rows.groups + bool(rows.rest)) if here[0] != HEAD else ("at", group)
    if here[0] != HEAD and group == here[1]:
        return phase, its_group, visit, _from(here[3], layer, rows.length(group)), number
    return phase, its_group, visit, _seen(layer, rows.length(group)), number


def _from(here: int, there: int, length: int) -> tuple[str, int]:
    """A place in a row: as steps from here to who is near, else counted from the nearer end."""
    return ("by", there - here) if abs(there - here) <= 2 else _seen(there, length)


def _seen(there: int, length: int) -> tuple[str, int]:
    return ("at", there) if there < length / 2 else ("at", there - length)


# -- more of the same


def stretched(tape: Tape, few: Rows, many: Rows) -> Tape | None:
    """The record of a step with `many` layers from that with `few`; None where those in the middle did not do the same."""
    runs = runs_of(tape, few)
    if not _is_steady(runs, few, many):
        return None
    whole = _Whole(tape, few, many)
    for number, group, layer in in_order([run.who for run in runs], few, many):
        whole.add(runs[number], group, layer)
    return whole.tape()


def _is_steady(runs: Sequence[Run], few: Rows, many: Rows) -> bool:
    """Whether those in the middle of each row that is longer now did the same."""
    by_who = {run.who: run for run in runs}

    def alike(some: Who, other: Who) -> bool:
        return (some in by_who) == (other in by_who) and (some not in by_who or by_who[some].does(by_who[other]))

    whos = [run.who for run in runs if run.who[0] != HEAD]
    middle_group = repeated(few.groups)
    for phase, group, visit, layer in whos:
        is_middle = few.groups < many.groups and group == middle_group
        if is_middle and not alike((phase, group, visit, layer), (phase, group + 1, visit, layer)):
            return False
        length, whole = few.length(group), many.size if group < few.groups else many.rest
        is_middle = length < whole and layer == repeated(length)
        if is_middle and not alike((phase, group, visit, layer), (phase, group, visit, layer + 1)):
            return False
    return True


def in_order(whos: Sequence[Who], few: Rows, many: Rows) -> Iterator[tuple[int, int, int]]:
    """The runs of the whole step, by number: each with the group and the layer in it that it is now of. `whos` are those recorded."""
    numbered = enumerate(whos)
    blocks = [list(some) for _, some in itertools.groupby(numbered, key=lambda each: each[1][:2])]
    before = 0
    for block in blocks:
        number, (phase, group, _, _) = block[0]
        if phase == HEAD:
            yield number, 0, 0
            continue
        for place in _stretch(group, before, few.groups, many.groups):
            yield from _layers_in_order(block, place, few.length(group), many.length(place))
        before = group


def _layers_in_order(
    block: Sequence[tuple[int, Who]], group: int, few: int, many: int
) -> Iterator[tuple[int, int, int]]:
    before = 0
    for number, (_, _, _, layer) in block:
        for place in _stretch(layer, before, few, many):
            yield number, group, place
        before = layer


def _stretch(at: int, before: int, few: int, many: int) -> Sequence[int]:
    """The places in the long row that one of the short row stands for, upwards or downwards as one comes from `before`."""
    first, more = repeated(few), many - few
    if at < first or more == 0:
        return [at]
    if at > first:
        return [at + more] if more >= -1 or at > first + 1 else []
    stands_for = range(first, first + more + 1)
    return stands_for if before < at else stands_for[::-1]


def repeated(few: int) -> int:
    """The place in a row of `few` of that which stands for all that are left out. The one behind it must do the same."""
    return 2 if few > 4 else 1


class _Whole:
    """Puts the whole record together, run by run."""

    def __init__(self, tape: Tape, few: Rows, many: Rows) -> None:
        self._tape, self._few, self._many = tape, few, many
        self._moments: list[Moment] = []
        # of each moment: the layer and the first of its group, those that were recorded and those that they are now
        self._layers: list[_Layers] = []
        self._live: list[int] = []
        self._allocations: list[Allocation] = []
        self._made: list[int] = []
        self._gone: list[int | None] = []
        self._numbers: dict[Who, int] = {}  # of the first allocation of each run

    def add(self, run: Run, group: int, layer: int) -> None:
        """The run is, now, of a group and a layer in it."""
        phase, old_group, visit, old_layer = run.who
        first, held = len(self._moments), self._live[-1] if self._live else 0
        self._numbers[phase, group, visit, layer] = len(self._allocations)
        old_first, first_layer = old_group * self._few.size, group * self._many.size
        layers = (old_first + old_layer, first_layer + layer), (old_first, first_layer)
        self._moments += run.moments
        self._layers += [layers] * len(run.moments)
        self._live += [held + live for live in run.live]
        self._allocations += [one for _, one in run.made]
        self._made += [first + at for at, _ in run.made]
        self._gone += [None] * len(run.made)
        for at, what in run.gone:
            self._gone[self._number(what, group, layer)] = first + at

    def _number(self, held: Held, group: int, layer: int) -> int:
        phase, in_groups, visit, in_layers, number = held
        if phase == HEAD:
            return self._numbers[HEAD, 0, -1, 0] + number
        there = _there(in_groups, group, self._many.groups + bool(self._many.rest))
        return self._numbers[phase, there, visit, _there(in_layers, layer, self._many.length(there))] + number

    def tape(self) -> Tape:
        """All of it."""
        moments = _Moments(self._moments, self._live, self._layers, self._tape.layers)
        allocations = _Allocations(self._allocations, self._made, self._gone)
        backward = (at for at, moment in enumerate(self._moments) if moment.phase == "backward")
        forward = next(backward, len(self._moments))
        lives = zip(self._allocations, self._made, self._gone, strict=True)
        return evolve(
            self._tape,
            standing=self._standing(),
            moments=moments,
            allocations=allocations,
            high=[live + moment.workspace for live, moment in zip(self._live, self._moments, strict=True)],
            forward=forward,
            tasks={},
            exchanges=self._exchanges(),
            saved_bytes=sum(
                one.nbytes for one, made, gone in lives if made < forward and (gone is None or gone > forward)
            ),
            flops=sum(moment.flops for moment in self._moments),
            recompute_flops=sum(moment.flops for moment in self._moments if moment.recomputing),
        )

    def _exchanges(self) -> Sequence[int]:
        names = {self._tape.moments[at].name for at in self._tape.exchanges}
        return [at for at, moment in enumerate(self._moments) if moment.name in names] if names else ()

    def _standing(self) -> tuple[Standing, ...]:
        """What stands before the step, with all layers; what they share belongs to the first."""
        prefix = f"{self._tape.layers}."
        of_layers: dict[int, list[Standing]] = defaultdict(list)
        standing: list[Standing] = []
        for one in self._tape.standing:
            if one.name.startswith(prefix):
                of_layers[int(one.name[len(prefix) :].partition(".")[0])].append(one)
            else:
                standing.append(one)
        for layer in range(self._many.layers):
            like = _like(layer, self._few, self._many)
            standing += [
                evolve(one, name=_moved(one.name, f"{prefix}{like}", f"{prefix}{layer}")) for one in of_layers[like]
            ]
        return tuple(standing)


def _like(layer: int, few: Rows, many: Rows) -> int:
    """The layer of the short rows that is like one of the long rows."""
    group, place = many.place(layer)
    short = _short(group, few.groups, many.groups)
    return short * few.size + _short(place, few.length(short), many.length(group))


def _short(at: int, few: int, many: int) -> int:
    middle = repeated(few)
    return min(at, middle) if at <= middle + many - few else at - (many - few)


def _there(step: tuple[str, int], here: int, length: int) -> int:
    how, number = step
    return here + number if how == "by" else number % length


class _Moments(Lazy[Moment]):
    """Moments that are put together when somebody asks for them: there are tens of thousands."""

    def __init__(self, recorded: list[Moment], live: list[int], layers: list[_Layers], path: str) -> None:
        self._recorded, self._live, self._layers, self._path = recorded, live, layers, path

    def __len__(self) -> int:
        return len(self._recorded)

    def item(self, at: int) -> Moment:
        """As it was recorded, at its place in the whole step."""
        moment = self._recorded[at]
        layer, first = ((f"{self._path}.{old}", f"{self._path}.{new}") for old, new in self._layers[at])
        region = _moved(moment.region, *layer)
        if region == moment.region:
            region = _moved(region, *first)  # a group's regions lie in its first layer
        if (
            region == moment.region
        ):  # what comes before the first layer of the next group is run by the last of this one
            region = _renumbered(region, f"{self._path}.", self._layers[at][1])
        return evolve(moment, live=self._live[at], place=_moved(moment.place, *layer), region=region)


class _Allocations(Lazy[Allocation]):
    """Allocations, likewise."""

    def __init__(self, recorded: list[Allocation], made: list[int], gone: list[int | None]) -> None:
        self._recorded, self._made, self._gone = recorded, made, gone

    def __len__(self) -> int:
        return len(self._recorded)

    def item(self, at: int) -> Allocation:
        """As it was recorded, at its place in the whole step."""
        one = self._recorded[at]
        return Allocation(one.shape, one.dtype, one.nbytes, self._made[at], self._gone[at], one.kind, at)


def _renumbered(path: str, prefix: str, first: tuple[int, int]) -> str:
    """The path in a layer that is as far away from the first of a group as it was from what that was when it was recorded."""
    old, new = first
    if old == new or not path.startswith(prefix):
        return path
    number, dot, inside = path[len(prefix) :].partition(".")
    return f"{prefix}{int(number) + new - old}{dot}{inside}"


def _moved(path: str, old: str, new: str) -> str:
    return new + path[len(old) :] if path == old or path.startswith(f"{old}.") else path
