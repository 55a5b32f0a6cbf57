"""What saved bytes and peak consist of: tensor by tensor, those alike added up, layers that are alike once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.tape import Allocation, Kind, Moment, Tape

When: TypeAlias = Literal["forward", "replay", "backward", "gradient clipping", "optimizer step"]


@frozen
class Tensors:
    """Tensors that are alike: made by one operator at one place, for the same purpose, of the same shape.

    `place` is the path of the module that was at work, "layers.*.mlp" for any layer, "" outside of all; `region` the innermost region.
    `when` says which phase of the step made them, or that a region's replay did. `line` is the module's line, "" where the tape has none.
    """

    operator: str
    place: str
    region: str
    when: When
    kind: Kind
    dtype: str
    shape: tuple[Formula, ...]
    formula: Formula  # bytes of one
    nbytes: int = field(eq=False)  # of one
    line: str = ""
    count: int = field(default=1, eq=False)

    @property
    def total(self) -> int:
        """Bytes of all of them."""
        return self.count * self.nbytes


@frozen
class Share:
    """What one layer holds, and how many others do the same; `layers` is empty for what belongs to none."""

    layers: tuple[int, ...]
    tensors: tuple[Tensors, ...]  # the largest first

    @property
    def times(self) -> int:
        """How many hold this."""
        return len(self.layers) or 1

    @property
    def nbytes(self) -> int:
        """Bytes of one of them."""
        return sum(each.total for each in self.tensors)

    @property
    def formula(self) -> Formula:
        """The bytes of one of them over the stage's dimensions."""
        return sum((each.count * each.formula for each in self.tensors), Formula({}))


@frozen
class Balance:
    """Bytes that live at one moment, and whose they are; the shares add up to them."""

    nbytes: int
    at: str  # "backward of layers.41, recomputing mlp"
    shares: tuple[Share, ...]  # the largest first


@frozen
class Explanation:
    """Both numbers of a step, taken apart. `layers` is the path of the model's list of layers that are alike, "" where it has none."""

    layers: str
    saved: Balance
    peak: Balance


def explain(tape: Tape) -> Explanation:
    """What the saved bytes of a step, and its peak, consist of."""
    tape = at_hand(tape)
    return Explanation(tape.layers, _saved(tape), living_at(tape, tape.peak_at))


def at_hand(tape: Tape) -> Tape:
    """The same tape with its moments and allocations made once: one put together from a few layers makes them at every look."""
    return evolve(tape, moments=tuple(tape.moments), allocations=tuple(tape.allocations))


def living_at(tape: Tape, at: int) -> Balance:
    """What the step has allocated of the bytes that live at a moment, the operator's workspace included."""
    moment = tape.moments[at]
    held = [described(tape, one) for one in tape.live_at(at)]
    if moment.workspace:
        held.append(workspace_of(moment))
    return Balance(tape.high[at], moment.told(), _shares(held, tape.layers))


def held_for_backward(tape: Tape) -> list[Allocation]:
    """What lives when the loss has been computed and backward has not begun."""
    return [
        one for one in tape.allocations if one.made < tape.forward and (one.gone is None or one.gone > tape.forward)
    ]


def described(tape: Tape, allocation: Allocation) -> Tensors:
    """One allocation, with what made it."""
    maker = tape.moments[allocation.made]
    return Tensors(
        operator=maker.name,
        place=maker.place,
        region=maker.region,
        when=when_made(maker),
        kind=allocation.kind,
        dtype=allocation.dtype,
        shape=tuple(map(formula_of, allocation.shape)),
        formula=allocation.formula,
        nbytes=allocation.nbytes,
        line=maker.line,
    )


def workspace_of(moment: Moment) -> Tensors:
    """What an operator allocates for itself, as one tensor. Its body knows it as a number only."""
    return Tensors(
        operator=moment.name,
        place=moment.place,
        region=moment.region,
        when=when_made(moment),
        kind="workspace",
        dtype="",
        shape=(),
        formula=Formula.number(moment.workspace),
        nbytes=moment.workspace,
        line=moment.line,
    )


def alike(tensors: Iterable[Tensors]) -> tuple[Tensors, ...]:
    """Those alike added up, the largest sum first."""
    counts: Counter[Tensors] = Counter()
    for each in tensors:
        counts[each] += each.count
    added = [evolve(each, count=count) for each, count in counts.items()]
    return tuple(sorted(added, key=lambda each: (-each.total, each.place, each.operator, each.line)))


def layer_of(path: str, layers: str) -> int | None:
    """The number of the layer that a path lies in; None outside of all."""
    if not layers or not path.startswith(f"{layers}."):
        return None
    return int(path[len(layers) + 1 :].partition(".")[0])


def in_any_layer(path: str, layers: str) -> str:
    """`layers.*.mlp` for `layers.41.mlp`."""
    number = layer_of(path, layers)
    return path if number is None else f"{layers}.*{path[len(f'{layers}.{number}') :]}"


def when_made(moment: Moment) -> When:
    """The phase of the step, or that a region was replayed."""
    if moment.recomputing:
        return "replay"
    return moment.phase


def _saved(tape: Tape) -> Balance:
    held = [described(tape, one) for one in held_for_backward(tape)]
    return Balance(tape.saved_bytes, "when the loss has been computed", _shares(held, tape.layers))


def _shares(held: Iterable[Tensors], layers: str) -> tuple[Share, ...]:
    """By layer; layers that hold the same are one share."""
    by_layer: dict[int | None, list[Tensors]] = {}
    for each in held:
        place, region = in_any_layer(each.place, layers), in_any_layer(each.region, layers)
        by_layer.setdefault(layer_of(each.place, layers), []).append(evolve(each, place=place, region=region))
    shares = [Share((), alike(by_layer.pop(None)))] if None in by_layer else []
    return tuple(sorted([*shares, *_of_layers(by_layer)], key=lambda share: -share.times * share.nbytes))


def _of_layers(by_layer: Mapping[int | None, list[Tensors]]) -> list[Share]:
    holders: dict[tuple[tuple[Tensors, int], ...], list[int]] = {}
    for layer, held in by_layer.items():
        assert layer is not None
        holders.setdefault(tuple((each, each.count) for each in alike(held)), []).append(layer)
    return [Share(tuple(sorted(numbers)), tuple(each for each, _ in held)) for held, numbers in holders.items()]
